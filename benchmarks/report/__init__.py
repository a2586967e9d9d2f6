"""What came of a run of `palaver bench`: on the terminal, for programs, and as a page.

progress.py    how far it is
metrics.py     what a figure is called, and which of them matter where
sheets.py      the tables, wherever they are shown:
terminal.py      with rich,
markdown.py      in pages that quote them,
page.py          in one HTML file
charts.py      the pictures, made of lines.py and bars.py, on scales.py
directory.py   what `--report` leaves

style.py       colours and fonts, light and dark
markup.py      elements of HTML and SVG
quantity.py    numbers as people read them
"""
