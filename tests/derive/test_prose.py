"""What words say of a value, in Chinese and English, in full and half width."""

import pytest

from conformance.derive.prose import Said, read_prose


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("取值介于 0 和 2 之间。", Said(0, 2)),
        ("取值介于０和２之间", Said(0, 2)),
        ("-2.0 和 2.0 之间的数字。", Said(-2, 2, fraction=True)),
        ("\u22122.0 到 2.0 之间", Said(-2, 2, fraction=True)),
        ("偏差从 -100 到 100,但 -1 和 1 之间更好", Said(-100, 100)),
        ("范围:[0, 1]", Said(0, 1)),
        ("取值范围为 1~10", Said(1, 10)),
        ("a number between 0 and 2, please", Said(0, 2)),
        ("ranges from 0.25 to 4", Said(0.25, 4, fraction=True)),
        ("range: [1, 5]", Said(1, 5)),
        (">= 0 <= 5", Said(0, 5)),
        ("≥ 3", Said(minimum=3)),
        ("最小值为 1", Said(minimum=1)),
        ("at least 0.5", Said(minimum=0.5, fraction=True)),
        ("最大值:9", Said(maximum=9)),
        ("介于 5 和 1 之间", Said()),
        ("最多 4 个序列", Said(maximum=4, most_items=4)),
        ("at most 4 stop sequences", Said(maximum=4, most_items=4)),
        ("up to 2.5 items", Said(maximum=2.5, fraction=True)),
        ("不超过 100 个字符", Said(maximum=100, most_letters=100)),
        ("较高的值(如 0.8)", Said(fraction=True)),
        ("defaults to 0.5", Said(fraction=True)),
        ("适用于版本 3.5 的模型", Said()),
        ("one of a, b, or c.", Said(enum=("a", "b", "c"))),
        ("可选值:auto、none", Said(enum=("auto", "none"))),
        ('must be either "x" or `y`', Said(enum=("x", "y"))),
        ("角色 system | user", Said(enum=("system", "user"))),
        ("可选值: 只有一个", Said()),
        ("", Said()),
        ("1234567890123456 和 2 之间", Said()),
        ("GPT-3.5 和 4.0 之间有差异", Said()),
        ("GPT 3.5 和 4.0 之间有差异", Said()),
        ("惩罚。-2.0 和 2.0 之间", Said(-2, 2, fraction=True)),
        ("不能超过 1.5", Said(maximum=1.5, fraction=True)),
        ("不得大于 7", Said(maximum=7)),
        ("至多 3 项", Said(maximum=3, most_items=3)),
        ("must not exceed 9", Said(maximum=9)),
        ("no more than 8", Said(maximum=8)),
        ("至少 2", Said(minimum=2)),
        ("不得小于 1", Said(minimum=1)),
        ("no less than 1", Said(minimum=1)),
    ],
)
def test_words_are_read(text, expected):
    assert read_prose(text) == expected


@pytest.mark.parametrize("unit", ["1", "- ", "a | ", "one of a, ", "范围", "1.", "最多 ", "between 1 and "])
def test_a_long_description_is_read_in_part(unit):
    assert isinstance(read_prose(unit * 100_000), Said)
