"""Who does the nightly sync: each is a program that takes a base URL, a folder and a day, and tells one Measured."""
