import pytest

from linnet import plain_yaml
from linnet.errors import LinnetError


@pytest.mark.parametrize(("text", "value"), [
    ("no", "no"), ("yes", "yes"), ("on", "on"), ("3e-4", 3e-4), ("1e3", 1000.0), ("0.5", 0.5), ("12", 12), ("-3", -3),
    ("true", True), ("null", None), ("", None), ("012", "012"), ("1_000", "1_000"), ("0x10", "0x10"),
    ("12:30", "12:30"), ("2020-01-01", "2020-01-01"), ("NaN", "NaN"), (".inf", ".inf"), ("'3'", "3"), ("True", "True")])
def test_a_plain_scalar_means_what_it_means_in_json(text: str, value: object) -> None:
    read = plain_yaml.parse(f"x: {text}")["x"]
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("text", ["a: 1\na: 2", "a: [1", "!!python/object/apply:os.system ['true']"])
def test_what_is_not_plain_is_refused(text: str) -> None:
    with pytest.raises(LinnetError):
        plain_yaml.parse(text)
