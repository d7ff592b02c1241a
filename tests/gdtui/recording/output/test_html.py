"""The page of a recording holds everything that it needs, and nothing that a name could add."""

import json
import re

from gdtui.recording.cast.footage import Footage
from gdtui.recording.output.html import html

FRAMES = ((0.0, "\x1b[1;1H\x1b[48;2;250;250;250mab  "), (1.5, "\x1b[1;2H</script>"), (2.0, ""))
FOOTAGE = Footage(4, 1, FRAMES, "")
OUTSIDE = re.compile(r"""(?:src|href|url|import)\s*[=(]\s*["']?(?!data:|#)[\w/.]+:?//?""")


def test_it_holds_the_frames_and_loads_nothing() -> None:
    page = html(FOOTAGE, "gdtui").decode()
    found = re.search(r'<script type="application/json" id="recording">(.*?)</script>', page)
    assert found is not None
    recording = json.loads(found[1])
    assert recording["frames"] == [list(frame) for frame in FRAMES[:2]]
    assert (recording["columns"], recording["rows"], recording["seconds"]) == (4, 1, 2.0)
    assert "default-src 'none'" in page
    assert not OUTSIDE.search(page)
    assert not re.search(r"https?:", page)


def test_a_name_is_no_markup() -> None:
    page = html(FOOTAGE, "<img src=x onerror=alert(1)>").decode()
    assert "<img" not in page
    assert page.count("</script>") == 2


def test_a_light_screen_gets_a_light_page() -> None:
    assert "color-scheme: light" in html(FOOTAGE, "").decode()
    assert "color-scheme: dark" in html(Footage(4, 1, (), ""), "").decode()
