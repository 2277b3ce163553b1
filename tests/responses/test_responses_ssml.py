import pytest

from linnet.errors import LinnetError
from linnet.responses import Piece, pieces


@pytest.mark.parametrize(("text", "found"), [
    ("", ()), ("  \n", ()), ("<speak/>", ()), ("<speak>  </speak>", ()),
    ("2 < 3 & 4", (Piece("2 < 3 & 4"),)), ("<speaker> is no markup", (Piece("<speaker> is no markup"),)),
    ("<?xml version='1.0'?>\n<speak version='1.1' xml:lang='en'>Hi</speak>", (Piece("Hi"),)),
    ("<speak>a<break time='500ms'/>b<break strength='weak'/></speak>",
     (Piece("a", pause_s=0.5), Piece("b", pause_s=0.2))),
    ("<speak><break time='1.5s'/>a</speak>", (Piece("", pause_s=1.5), Piece("a"))),
    ("<speak>a <prosody rate='200%' pitch='+10%' volume='-6dB'>b</prosody> c</speak>",
     (Piece("a"), Piece("b", 2.0, 1.1, -6.0), Piece("c"))),
    ("<speak><prosody rate='slow'><prosody rate='slow'>a</prosody></prosody></speak>", (Piece("a", 0.5625),)),
    ("<speak><emphasis level='strong'>no</emphasis></speak>", (Piece("no", 0.8, 1.0, 4.0),)),
    ("<speak><emphasis>no</emphasis></speak>", (Piece("no", 0.9, 1.0, 2.0),)),
    ("<speak><say-as interpret-as='characters'>AB 1</say-as></speak>", (Piece("A B 1"),)),
    ("<speak>call <say-as interpret-as='telephone'>+44 20 7946</say-as> now</speak>",
     (Piece("call + 4 4, 2 0, 7 9 4 6 now"),)),
    ("<speak>by <sub alias='World Wide Web Consortium'>W3C</sub>.</speak>",
     (Piece("by World Wide Web Consortium."),)),
    ("<speak><p><s>One.</s><s>Two.</s></p>Three.</speak>",
     (Piece("One.", pause_s=0.2), Piece("Two.", pause_s=pytest.approx(0.7)), Piece("Three."))),
    ("<speak>A &amp; &lt;b&gt; &#8364;</speak>", (Piece("A & <b> €"),)),
])
def test_what_is_to_be_said(text, found):
    assert pieces(text) == found


@pytest.mark.parametrize(("text", "line", "column", "said"), [
    ("<speak>a <b>x</b></speak>", 1, 10, "<b> is not understood; known: speak, p"),
    ("<speak>\n  <break time='5'/></speak>", 2, 3, "time '5' is not understood"),
    ("<speak><break time='60s'/></speak>", 1, 8, "up to 10s"),
    ("<speak><break strength='huge'/></speak>", 1, 8, "strength 'huge' is not understood"),
    ("<speak>a", 1, 9, "no element found"),
    ("<speak>a</p></speak>", 1, 11, "mismatched tag"),
    ("<speak>é & b</speak>", 1, 11, "not well-formed"),
    ("<speak>é<b/></speak>", 1, 9, "<b> is not understood"),
    ("<speak>a</speak> b", 1, 18, "junk after document element"),
    ("<speak><speak/></speak>", 1, 8, "stands around everything"),
    ("<speak><prosody rate='9000%'>x</prosody></speak>", 1, 8, "rate comes to a factor of 90"),
    ("<speak><prosody rate='slow'><prosody rate='x-slow'>x</prosody></prosody></speak>", 1, 29, "factor of 0.375"),
    ("<speak><prosody rate='quick'>x</prosody></speak>", 1, 8, "'quick' is not understood; known: x-slow"),
    ("<speak><prosody volume='+90dB'>x</prosody></speak>", 1, 8, "volume comes to +90dB"),
    ("<speak><prosody contour='x'>x</prosody></speak>", 1, 8, "no attribute 'contour' here; known: rate, pitch"),
    ("<speak><say-as>x</say-as></speak>", 1, 8, "needs the attribute 'interpret-as'"),
    ("<speak><say-as interpret-as='date'>x</say-as></speak>", 1, 8, "'date' is not understood; known: characters"),
    ("<speak><sub alias='x'><p>y</p></sub></speak>", 1, 23, "<sub> holds text only"),
    ("<!DOCTYPE speak [<!ENTITY a 'aaaa'>]><speak>&a;</speak>", 1, 17, "a document type is not read"),
])
def test_what_cannot_be_read_is_said_with_line_and_column(text, line, column, said):
    with pytest.raises(LinnetError) as error:
        pieces(text)
    assert f"line {line}, column {column}: " in str(error.value)
    assert said in str(error.value)
