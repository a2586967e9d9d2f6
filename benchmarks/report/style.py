"""How pages and pictures look: light and dark by the reader's preference, on paper in light."""

from __future__ import annotations

_LIGHT = """
--page:#f6f7f9;--card:#fff;--ink:#1b2330;--soft:#566173;--rule:#e1e5eb;--bar:#a9b4c4;
--bad:#b42318;--good:#0b7a53;--warn:#fff4e5;--warn-ink:#7a4100;
--s0:#4338ca;--s1:#c2410c;--s2:#0f766e;--s3:#a21caf;--s4:#4d7c0f;--s5:#475569;--s6:#be123c
"""
_DARK = """
--page:#0e1218;--card:#161c25;--ink:#e8ecf2;--soft:#9ba7b8;--rule:#2a3340;--bar:#4f5d70;
--bad:#ff8a80;--good:#5fd6a6;--warn:#33270f;--warn-ink:#ffce85;
--s0:#9aa5ff;--s1:#fb923c;--s2:#2dd4bf;--s3:#e879f9;--s4:#bef264;--s5:#a8b3c4;--s6:#fb7185
"""

_FONT = 'system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif'

_CHART = (
    ".chart text{fill:var(--ink);font-size:13px;font-variant-numeric:tabular-nums}"
    ".chart .tick,.chart .axis,.chart .note{fill:var(--soft)}"
    ".chart .heading{font-size:14px;font-weight:600}"
    ".chart .said{fill:var(--soft);font-weight:400}"
    ".chart .label.ours{fill:var(--s0);font-weight:600}"
    ".chart .ratio{fill:var(--ink);font-weight:600}"
    ".chart .grid{stroke:var(--rule);stroke-width:1}"
    ".chart .bar{fill:var(--bar)}.chart .bar.ours{fill:var(--s0)}"
    ".chart .line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}"
    ".chart .s0 .line{stroke-width:3}"
    ".chart circle{stroke:var(--card);stroke-width:1.5}"
    + "".join(
        f".chart .s{slot} .line{{stroke:var(--s{slot});stroke-dasharray:{dashes}}}"
        f".chart .s{slot} circle{{fill:var(--s{slot})}}"
        for slot, dashes in enumerate(
            ("none", "7 4", "2 4", "10 4 2 4", "none", "4 3", "12 5")  # told apart without colour
        )
    )
)

_PAGE = f"""
*{{box-sizing:border-box}}
html{{color-scheme:light dark;background:var(--page)}}
body{{margin:0 auto;max-width:74rem;padding:2.5rem clamp(1rem,4vw,2.5rem) 4rem;
color:var(--ink);font:1rem/1.55 {_FONT}}}
h1{{font-size:1.75rem;line-height:1.2;margin:0 0 .5rem;letter-spacing:-.015em}}
h2{{font-size:1.2rem;margin:2.75rem 0 .25rem}}
h3{{font-size:1rem;margin:0}}
p{{margin:.25rem 0 1rem;max-width:52rem}}
.soft{{color:var(--soft)}}a{{color:var(--s0)}}
code{{font:.875em ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
overflow-wrap:anywhere}}
.cards{{display:grid;gap:1.25rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,27rem),1fr))}}
.card{{background:var(--card);border:1px solid var(--rule);border-radius:10px;
padding:1.1rem 1.25rem;min-width:0;break-inside:avoid}}
.card p{{font-size:.875rem;margin:.1rem 0 .9rem}}.card p:empty{{margin:0 0 .6rem}}
.chart{{display:block;width:100%;height:auto;overflow:visible;font-family:inherit}}
.sheet{{margin:1rem 0}}.sheet>p:last-child{{margin:.6rem 0 0}}
.table{{overflow-x:auto;margin:0 -1.25rem;padding:0 .5rem}}
table{{border-collapse:collapse;width:100%;font-size:.875rem;font-variant-numeric:tabular-nums}}
caption{{text-align:left;font-weight:600;padding:1.25rem 0 .25rem}}
th,td{{padding:.35rem .75rem;text-align:right;vertical-align:baseline;white-space:nowrap}}
tbody th{{font-weight:400;text-align:left}}
thead th{{color:var(--soft);font-weight:500;white-space:normal;vertical-align:bottom;
border-bottom:1px solid var(--rule)}}
.text{{text-align:left}}
tr.begins~tr.begins>*{{border-top:1px solid var(--rule)}}
tr.ours>:not([scope=rowgroup]){{color:var(--s0);font-weight:600}}
td span{{display:inline-block;min-width:3.1em}}
.good{{color:var(--good)}}.bad{{color:var(--bad)}}
details{{margin-top:1rem}}summary{{cursor:pointer;color:var(--soft)}}
details table{{width:auto}}details .table{{margin:0;padding:0}}
details tbody tr+tr>*{{border-top:1px solid var(--rule)}}
.warning{{background:var(--warn);color:var(--warn-ink);border-radius:10px;padding:.8rem 1.25rem;
margin:1.25rem 0;max-width:none}}
.warning ul{{margin:.25rem 0 0;padding-left:1.2rem}}
dl{{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1.25rem;margin:0;
font-size:.875rem}}
dt{{color:var(--soft)}}dd{{margin:0;overflow-wrap:anywhere}}
@media(max-width:32rem){{dl{{grid-template-columns:1fr;gap:0}}dd{{margin-bottom:.5rem}}
.card{{padding:.9rem 1rem}}}}
@media print{{body{{max-width:none;padding:0;font-size:10pt}}.card{{border-color:#ccc}}
.cards{{grid-template-columns:1fr 1fr}}h2{{break-after:avoid}}tr{{break-inside:avoid}}
.table{{overflow:visible}}table{{font-size:8pt}}th,td{{padding:.15rem .35rem;white-space:normal}}}}
"""


def page_style() -> str:
    return (
        f":root{{{_LIGHT}}}@media screen and (prefers-color-scheme:dark){{:root{{{_DARK}}}}}"
        f"{_PAGE}{_CHART}"
    )


def picture_style() -> str:
    """For a picture that stands alone: it brings its own background, so that it is legible on a
    page of whichever colour."""
    return (
        f"svg{{{_LIGHT};font-family:{_FONT}}}"
        f"@media(prefers-color-scheme:dark){{svg{{{_DARK}}}}}.card{{fill:var(--card)}}{_CHART}"
    )
