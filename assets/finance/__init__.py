"""What finance decides: prices, cost centres, how it is billed, and the months that it has signed."""
