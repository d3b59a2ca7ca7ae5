"""The report's charts: Vega-Lite through Altair, drawn to SVG when the report is made.

The page needs no script then: it opens from an e-mail, prints, and no request can leave it. Colours are the page's CSS
variables, so that one drawing serves light, dark and paper.
"""

from typing import Any

import altair as alt

from assets.reports.content import Report
from assets.reports.shown import signed

COLOURS = [f"var(--series-{number})" for number in range(1, 9)]
INK, FAINT, GRID = "var(--ink)", "var(--faint)", "var(--grid)"
MOST_CENTRES = 15
WIDTH = 800


def seats_over_time(report: Report, organization_id: str) -> str:
    """Seats by day, one line for each license type; nothing where no day is known."""
    rows = [row for row in report["seats_by_day"].rows if row["organization_id"] == organization_id]
    if not rows:
        return ""
    values = [
        {"day": row["snapshot_date"].isoformat(), "seats": row["seats"], "type": row["license_type"]} for row in rows
    ]
    types = list(dict.fromkeys(row["type"] for row in sorted(values, key=lambda row: -row["seats"])))
    chart = (
        alt.Chart(_data(values))
        .mark_line(point=alt.OverlayMarkDef(size=18, filled=True), strokeWidth=2)
        .encode(
            x=alt.X(
                "day:T",
                title=None,
                scale=alt.Scale(type="utc"),
                axis=alt.Axis(format="%-d %b", tickCount=8, labelOverlap="greedy", labelSeparation=14),
            ),
            y=alt.Y("seats:Q", title="Seats", axis=alt.Axis(format=",d", tickMinStep=1)),
            color=alt.Color("type:N", title=None, sort=types, scale=alt.Scale(domain=types, range=COLOURS)),
        )
        .properties(height=220)
    )
    return _svg(chart, f"Seats by day and license type in {report.month:%B %Y}; the values stand in the table below.")


STEPS = {"Joiners": "joiners", "Leavers": "leavers", "Changed in": "changed_in", "Changed out": "changed_out"} | {
    "Restated": "restated"
}


def walk(report: Report) -> str:
    """How last month's seats became this month's: a bar for each step."""
    values = _walk_bars(report["walk_total"].rows[0])
    order = [value["step"] for value in values]
    high = max(value["top"] for value in values)
    floor = _floor(min(min(value["from"], value["to"]) for value in values[1:-1]), high)
    base = alt.Chart(_data([value | {"from": max(value["from"], floor)} for value in values])).encode(
        x=alt.X("step:N", title=None, sort=order, axis=alt.Axis(labelAngle=0, ticks=False)),
    )
    title = "Seats" if floor == 0 else f"Seats (the axis begins at {floor:,})"
    scale = alt.Scale(domain=[floor, high], nice=True, zero=floor == 0)
    colours = alt.Scale(domain=["level", "more", "fewer"], range=[COLOURS[1], "var(--more)", "var(--fewer)"])
    bars = base.mark_bar(cornerRadius=2).encode(
        y=alt.Y("from:Q", title=title, scale=scale, axis=alt.Axis(format=",d", tickMinStep=1)),
        y2="to:Q",
        color=alt.Color("kind:N", legend=None, scale=colours),
    )
    texts = base.mark_text(dy=-8, fontSize=12, fill=INK).encode(y="top:Q", text="text:N")
    return _svg((bars + texts).properties(height=220), f"The walk of the seats in {report.month:%B %Y}.")


def _walk_bars(total: dict[str, int]) -> list[dict[str, Any]]:
    """Where each bar begins and ends."""
    level = total["seats_before"]
    values: list[dict[str, Any]] = [{"step": "Before", "from": 0, "to": level, "kind": "level", "text": f"{level:,}"}]
    for label, name in STEPS.items():
        step = -total[name] if name in ("leavers", "changed_out") else total[name]
        kind = "more" if step >= 0 else "fewer"
        values.append({"step": label, "from": level, "to": level + step, "kind": kind, "text": signed(step)})
        level += step
    end = total["seats_month_end"]
    values.append({"step": "Month-end", "from": 0, "to": end, "kind": "level", "text": f"{end:,}"})
    return [value | {"top": max(value["from"], value["to"])} for value in values]


def _floor(low: int, high: int) -> int:
    """Where the axis begins: at zero, unless the steps would be too small to see; then the axis says so."""
    if high <= 0 or low < high * 0.8:
        return 0
    step = int(10 ** max(len(str(max(high - low, 1))) - 1, 0))
    return max((low - 2 * max(high - low, 1)) // step * step, 0)


def cost_by_centre(report: Report, organization_id: str) -> str:
    """The most expensive cost centres, and of each what is known to be unused."""
    rows = [
        row
        for row in report["cost_centres"].rows
        if row["organization_id"] == organization_id and row["cost"] is not None
    ][:MOST_CENTRES]
    if not rows:
        return ""
    order = [row["cost_centre"] for row in rows]
    values = [{"centre": row["cost_centre"], "cost": float(row["cost"])} for row in rows]
    chart = alt.Chart(_data(values)).encode(
        y=alt.Y("centre:N", title=None, sort=order, axis=alt.Axis(labelLimit=180, ticks=False)),
        x=alt.X("cost:Q", title=f"Cost in {rows[0]['currency']}", axis=alt.Axis(format=",.0f", tickCount=6)),
    )
    bars = chart.mark_bar(cornerRadius=2, fill=COLOURS[0])
    texts = chart.mark_text(align="left", dx=4, fill=INK, fontSize=12).encode(text=alt.Text("cost:Q", format=",.2f"))
    return _svg(
        (bars + texts).properties(height=alt.Step(24)), "Cost by cost centre; the values stand in the table below."
    )


def _data(values: list[dict[str, Any]]) -> Any:
    return alt.InlineData(values=values)


def _svg(chart: Any, description: str) -> str:
    import vl_convert

    axis = {"labelColor": INK, "titleColor": FAINT, "gridColor": GRID, "domainColor": GRID, "tickColor": GRID}
    sizes = {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"}
    spec = chart.properties(width=WIDTH, description=description, background="transparent", padding=12).to_dict(
        validate=False
    )
    spec["config"] = {
        "font": "system-ui, sans-serif",
        "view": {"stroke": None},
        "axis": axis | sizes,
        "legend": {"labelColor": INK, "labelFontSize": 12, "orient": "top", "symbolType": "circle"},
    }
    svg: str = vl_convert.vegalite_to_svg(spec)
    label = f'role="img" aria-label="{description}" '
    return svg.replace("<svg ", f"<svg {label}", 1)
