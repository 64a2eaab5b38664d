"""What goes from texts by switches, how often, and what must stay."""

import html
import inspect
import re
import sys
import unicodedata
from typing import Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from strategies import PROSE
from unrolled.config.sections import CleaningConfig
from unrolled.text import cleaning
from unrolled.text.cleaning import DEEPEST_NESTING, Cleaner

Form = Literal["NFC", "NFKC"]

SWITCHES = ["html_entities", "markdown", "links", "user_names", "control_characters"]


def cleaner(*switches: str, normalisation: Form | None = None) -> Cleaner:
    """A cleaner with these switches on."""
    return Cleaner(
        CleaningConfig(
            html_entities="html_entities" in switches,
            markdown="markdown" in switches,
            links="links" in switches,
            user_names="user_names" in switches,
            control_characters="control_characters" in switches,
            normalisation=normalisation,
            repeated_documents=False,
        )
    )


def cleaned(text: str, *switches: str, normalisation: Form | None = None) -> tuple[str, int]:
    """What one switch, or normalisation, makes of a text, and how often it changed something."""
    by_one = cleaner(*switches, normalisation=normalisation)
    result = by_one.clean(text)
    (count,) = by_one.counts.values()
    return result, count


def without_white_space(text: str) -> str:
    return re.sub(r"[ \t\n\r\v\f]", "", text)


def letters(text: str) -> str:
    return "".join(re.findall(r"[a-z]", text))


SIGNS = ["@", "@ann", "/u/", "u/", "U/", "/", "ann", "ann-", "-", "_", "LINK", "USER", "@b.org"]
ADDRESS_PARTS = ["http://", "ftp://", "www.", "w", "HTTP://", "Www.", "x.y", "a_(b)", "://", "é"]
MARKS = [".", ",", ")", "(", "]", "'", '"', "<", ">", "!", " ", "\n", "\u200b", "\u2028", "&amp;"]

MARKED = st.text() | st.lists(st.sampled_from(SIGNS + ADDRESS_PARTS + MARKS), max_size=8).map(
    "".join
)
"""Any text, or one in which addresses and names meet."""


class TestSwitches:
    @given(text=st.text())
    def test_a_text_stays_as_it_is_where_all_are_off(self, text: str) -> None:
        all_off = cleaner()

        assert all_off.clean(text) is text
        assert all_off.counts == {}

    def test_each_that_is_on_has_a_count_before_it_has_changed_anything(self) -> None:
        all_on = cleaner(*SWITCHES, normalisation="NFC")

        assert all_on.counts == dict.fromkeys([*SWITCHES, "normalisation"], 0)
        assert cleaner("links").counts == {"links": 0}
        assert cleaner(normalisation="NFKC").counts == {"normalisation": 0}

    def test_counts_add_up_over_texts(self) -> None:
        both = cleaner("links", "user_names")

        for text in ["www.x.org by @ann", "nothing", "@bo and @cy"]:
            both.clean(text)

        assert both.counts == {"links": 1, "user_names": 3}  # user names: 1 + 0 + 2

    def test_each_works_on_what_the_one_before_has_left(self) -> None:
        all_on = cleaner(*SWITCHES, normalisation="NFKC")

        # The entities make an address in angle brackets and a star; Markdown takes the brackets and
        # the stars; the address goes with the name in it; the control character parts no word; ﬁ is
        # one character until it is normalised.
        text = all_on.clean("&#42;so*, &lt;http://x.org/@ann&gt; by @b\u00ado: \ufb01n")

        assert text == "so, LINK by USERo: fin"
        assert all_on.counts == {
            "html_entities": 3,
            "markdown": 1,
            "links": 1,
            "user_names": 1,
            "control_characters": 1,
            "normalisation": 1,
        }

    @pytest.mark.parametrize("switch", ["links", "user_names", "control_characters"])
    @given(text=MARKED)
    @example(text="@U/@bo")
    @example(text="u/-u/@bo")
    @example(text="u/a-/u/ann")
    def test_cleaning_again_by_the_same_changes_nothing(self, switch: str, text: str) -> None:
        once, _ = cleaned(text, switch)

        assert cleaned(once, switch) == (once, 0)

    @pytest.mark.parametrize(
        ("switch", "signs"),
        [
            ("html_entities", "[&]"),
            ("links", "[:wW]"),
            ("user_names", "[@/]"),
        ],
    )
    @given(text=MARKED)
    def test_a_text_without_the_signs_of_it_stays_as_it_is(
        self, switch: str, signs: str, text: str
    ) -> None:
        text = re.sub(signs, "", text)

        assert cleaned(text, switch) == (text, 0)


class TestEntities:
    @pytest.mark.parametrize(
        ("text", "expected", "count"),
        [
            ("Q&amp;A", "Q&A", 1),
            ("&lt;b&gt;", "<b>", 2),
            ("&amp;gt;", "&gt;", 1),
            ("&#39;&#x27;&#X27;&apos;", "''''", 4),
            ("caf&eacute;&nbsp;5&euro;", "café\u00a05€", 3),
            ("&#128;", "€", 1),  # as Windows meant it, and HTML with it
            ("&fjlig;", "fj", 1),
            ("a&#13;&#10;b&#13;c&#xD;\nd", "a\nb\nc\nd", 4),
            ("&#xD800;&#0;&#x110000;", "\ufffd\ufffd\ufffd", 3),
        ],
    )
    def test_references_become_their_characters_once(
        self, text: str, expected: str, count: int
    ) -> None:
        assert cleaned(text, "html_entities") == (expected, count)

    @pytest.mark.parametrize(
        "text",
        ["AT&T; R&D", "?a=1&copy=2", "&copy 2020", "&notit;", "&;", "&#;", "&#x;", "& amp;", "&ſ;"],
    )
    def test_what_only_looks_like_a_reference_stays(self, text: str) -> None:
        assert cleaned(text, "html_entities") == (text, 0)

    def test_a_number_too_long_for_a_character_stays(self) -> None:
        text = f"&#{'9' * 5000};"  # more digits than Python makes a number of

        assert cleaned(text, "html_entities") == (text, 0)

    @given(text=st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"])))
    def test_an_escaped_text_is_itself_again(self, text: str) -> None:
        count = sum(map(text.count, "&<>\"'"))

        assert cleaned(html.escape(text), "html_entities") == (text, count)

    @given(number=st.integers(0, 0xFFFFFF), base=st.sampled_from(["#{}", "#x{:x}", "#X{:X}"]))
    def test_any_number_makes_text_that_can_be_written(self, number: int, base: str) -> None:
        text, count = cleaned(f"&{base.format(number)};", "html_entities")

        text.encode("utf-8")
        assert count == 1 or number > 9_999_999
        if 0xA0 <= number < 0xD800:
            assert text == chr(number)


class TestMarkdown:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("*a* _b_ **c** __d__ ***e*** ~~f~~", "a b c d e f"),
            ("# One\ntext\n\nTwo\n===\ntext\n## Three ##", "One\n\ntext\n\nTwo\n\ntext\n\nThree"),
            ("- a\n- b\n  c\n\n  d\n* e", "a\n\nb\nc\n\nd\n\ne"),
            ("1. a\n2. b", "a\n\nb"),
            ("> a\nb\n>> c\n\nd", "a\nb\n\nc\n\nd"),
            ('[a *b*](http://x.y "t") ![an *alt*](c.png)', "a b an alt"),
            ("[![in](a.png)](b) ![out ![in](c)](d) ![![](e)](f)", "in out in"),
            ("[a][1] [b] [c][]\n\n[1]: http://x.y 't'\n[b]: z\n[c]: <w>", "a b c"),
            ("[a](javascript:b) [c](data:d)", "a c"),
            ("run `*a*` or ``b ` c``", "run *a* or b ` c"),
            ("```python\n*a*\n\n    b\n```\nc", "*a*\n\n    b\n\nc"),
            ("*a*\n\n    *b*\n    c", "a\n\n*b*\nc"),
            (
                "<div>\n*a*\n</div>\n\n<b>*c*</b> <!-- d -->",
                "<div>\n*a*\n</div>\n\n<b>c</b> <!-- d -->",
            ),
            ("a  \nb\\\nc\n d", "a\nb\nc\nd"),
            ("a\n\n---\n\nb", "a\n\nb"),
            ("|a|*b*|\n|-|:-:|\n|1|`2`|\n| |3|\n|4|\n\nc", "a b\n\n1 2\n\n3\n\n4\n\nc"),
            (r"\*a\* \# \[b]", "*a* # [b]"),
            ("<http://x.y/%20?a=1&amp;b> <me@x.org>", "http://x.y/%20?a=1&amp;b me@x.org"),
            ("*Q&amp;A* &copy; &#42;b&#42;", "Q&amp;A &copy; &#42;b&#42;"),
            ("*(c)* \"a\" -- b... 'c'", "(c) \"a\" -- b... 'c'"),
            ("*see* www.x.y http://x.y", "see www.x.y http://x.y"),
            ("*a*\0\u2028b", "a\0\u2028b"),
        ],
    )
    def test_markup_goes_and_its_text_stays(self, text: str, expected: str) -> None:
        assert cleaned(text, "markdown") == (expected, 1)

    @pytest.mark.parametrize(
        "text", ["2 * 3 * 4", "snake_case_name", "a > b", "#tag", "-5", "&amp;", "[a]", "<b>x</b>"]
    )
    def test_what_is_no_markup_stays(self, text: str) -> None:
        assert cleaned(text, "markdown") == (text, 0)

    @given(text=PROSE)
    def test_prose_changes_in_white_space_alone_which_does_not_count(self, text: str) -> None:
        result, count = cleaned(text, "markdown")

        assert result.split() == text.split()
        assert count == 0

    @given(text=st.text() | st.text(st.sampled_from("ab \n\t*_`~[]()!<>#-+=|:\\&1.\"'")))
    def test_a_text_counts_where_more_than_white_space_has_changed(self, text: str) -> None:
        result, count = cleaned(text, "markdown")

        assert count == (without_white_space(result) != without_white_space(text))

    # No addresses, titles and languages of code, which go.
    @given(
        parts=st.lists(
            st.sampled_from(
                ["*", "**", "_", "# ", "> ", "- ", "1. ", "`", "~~", "[", "]", "![", "<"]
            )
            | st.sampled_from(["\n", "\n\n", " ", "    ", "\t", "\\", "\n---\n", "\n===\n", "</b>"])
            | st.sampled_from(["a", "word", "bc"]),
            max_size=20,
        )
    )
    def test_no_letter_of_the_text_goes(self, parts: list[str]) -> None:
        text = re.sub("```+|~~~+", "``", "".join(parts))

        result, _ = cleaned(text, "markdown")

        assert letters(result) == letters(text)

    @pytest.mark.parametrize("depth", [1, DEEPEST_NESTING, DEEPEST_NESTING + 5, 500])
    def test_quotes_are_read_to_a_depth_and_no_word_is_lost_beyond(self, depth: int) -> None:
        text = f"{'> ' * depth}word\n\nend"

        beyond = max(0, depth - DEEPEST_NESTING)
        assert cleaned(text, "markdown")[0] == f"{'> ' * beyond}word\n\nend"

    @pytest.mark.parametrize("depth", [1, DEEPEST_NESTING // 2, DEEPEST_NESTING // 2 + 5, 500])
    def test_lists_are_read_to_half_that_depth_since_each_has_items(self, depth: int) -> None:
        text = f"{'- ' * depth}word\n\nend"

        beyond = max(0, depth - DEEPEST_NESTING // 2)
        assert cleaned(text, "markdown")[0] == f"{'- ' * beyond}word\n\nend"

    @pytest.mark.parametrize(
        "text",
        [
            ">" * 100_000 + "word",
            "- " * 100_000 + "word",
            "> 1. " * 50_000 + "word",
            ">" * 60 + "word\n" * 500,
            "".join(f"{'  ' * depth}- word\n" for depth in range(300)),
            "[" * 5_000 + "word" + "]" * 5_000,
            "![" * 2_000 + "word" + "](a)" * 2_000,
            "*a **b " * 5_000,
            "".join("a" + "`" * length for length in range(300)),
            "<!-- a " * 5_000,
        ],
        ids=[
            "quotes",
            "lists",
            "both",
            "lines",
            "steps",
            "brackets",
            "images",
            "stars",
            "code",
            "html",
        ],
    )
    def test_no_depth_is_too_much_for_few_calls_in_each_other(self, text: str) -> None:
        limit = sys.getrecursionlimit()
        here = len(inspect.stack())
        cleaner("markdown").clean("")  # makes the parser

        sys.setrecursionlimit(here + 150)
        try:
            result, _ = cleaned(text, "markdown")
        finally:
            sys.setrecursionlimit(limit)

        assert result.count("word") == text.count("word")

    def test_a_long_text_is_read_in_pieces_that_end_at_blank_lines(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        text = "\n\n".join(
            ["> *one* two", "- [three][a]", "# four", "[a]: b", "`five`, [six][a]"] * 9
        )
        whole, _ = cleaned(f"[a]: b\n\n{text}", "markdown")

        monkeypatch.setattr(cleaning, "LONGEST_PIECE", 40)

        assert cleaned(f"[a]: b\n\n{text}", "markdown") == (whole, 1)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("ab *cd*\nef gh\nij", "ab cd\nef gh\n\nij"),  # 17 characters: the last line end
            ("ab *cd* ef gh ij", "ab cd ef gh\n\nij"),  # no line end: the last space
            ("abcdefghijklmnopqrst", "abcdefghijklmno\n\npqrst"),  # neither
        ],
    )
    def test_where_no_line_is_blank_a_long_text_is_cut_elsewhere(
        self, text: str, expected: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(cleaning, "LONGEST_PIECE", 15)

        assert cleaned(text, "markdown")[0] == expected

    @given(text=st.text(st.sampled_from("ab \n*>`"), max_size=60), longest=st.integers(1, 20))
    def test_pieces_lose_no_letter(self, text: str, longest: int) -> None:
        text = re.sub("```+", "``", text)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cleaning, "LONGEST_PIECE", longest)
            result, _ = cleaned(text, "markdown")

        assert letters(result) == letters(text)


ADDRESSES = st.sampled_from(
    [
        "http://x.org",
        "https://x.org/a?b=c&d#e",
        "ftp://x.org/a.txt",
        "www.x.org",
        "HTTP://X.ORG/",
        "Www.x.org/~a",
        "http://me:pw@x.org:80/",
        "https://de.x.org/wiki/Käse",
        "https://x.org/a_(b)",
    ]
)


class TestLinks:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("See http://x.org/a.", "See LINK."),
            ("(see http://x.org/a_(b))", "(see LINK)"),
            ("(http://x.org/a_(b).)", "(LINK.)"),
            ("http://x.org/a_(b)_(c)", "LINK"),
            ("https://x.org/[a]] {https://x.org/{a}}", "LINK] {LINK}"),
            ("[text](https://x.org)", "[text](LINK)"),
            ("'http://x.org', \"http://x.org\"!?", "'LINK', \"LINK\"!?"),
            ('<a href="http://x.org">x</a> <http://x.org>', '<a href="LINK">x</a> <LINK>'),
            ("“http://x.org” 看http://x.org。看", "“LINK” 看LINK。看"),
            ("http://x.org... www.x.org;", "LINK... LINK;"),
            ("nowhttp://x.org", "nowLINK"),
            ("http://localhost:80 http://1.2.3.4", "LINK LINK"),
        ],
    )
    def test_addresses_become_a_word_and_the_marks_of_the_sentence_stay(
        self, text: str, expected: str
    ) -> None:
        count = expected.count("LINK")

        assert cleaned(text, "links") == (expected, count)

    @pytest.mark.parametrize(
        "text",
        [
            "me@x.org, me@www.x.org, me@a.www.x.org, mailto:me@x.org",
            "http:// http://) www. www.) http:/x.org ://x.org",
            "awww.so sftp://x.org x.org/a file://x",
        ],
    )
    def test_mail_addresses_and_what_is_no_address_stay(self, text: str) -> None:
        assert cleaned(text, "links") == (text, 0)

    @given(parts=st.lists(ADDRESSES | st.sampled_from(["a", "b.", "(c)", "me@x.org", "@ann"])))
    def test_each_address_among_words_counts(self, parts: list[str]) -> None:
        are_links = ["://" in part or part[:4].lower() == "www." for part in parts]
        expected = [
            "LINK" if is_link else part for part, is_link in zip(parts, are_links, strict=True)
        ]

        assert cleaned(" ".join(parts), "links") == (" ".join(expected), sum(are_links))

    @given(address=ADDRESSES, marks=st.text(st.sampled_from(".,;:!?)]}'\"")))
    def test_marks_after_an_address_are_not_of_it(self, address: str, marks: str) -> None:
        assert cleaned(address + marks, "links") == (f"LINK{marks}", 1)

    def test_brackets_without_end_are_counted_once(self) -> None:
        text = f"http://x.org/{'(' * 100_000}{')' * 200_000}"

        assert cleaned(text, "links") == (f"LINK{')' * 100_000}", 1)


class TestUserNames:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("@ann, @Bo_2: @a_very_long_name_of_old!", "USER, USER: USER!"),
            (".@ann (@bo) RT@x -@cy", ".USER (USER) RT@x -USER"),
            ("@ann's and @ann-like", "USER's and USER-like"),
            ("/u/ann_b-2 and u/ann, U/Ann.", "USER and USER, USER."),
            ("by u/-ann-.", "by USER-."),
            ("@U/@bo", "USER/USER"),
            ("-u/ann", "-USER"),
        ],
    )
    def test_names_become_a_word(self, text: str, expected: str) -> None:
        assert cleaned(text, "user_names") == (expected, expected.count("USER"))

    @pytest.mark.parametrize(
        "text",
        [
            "me@x.org m.e@x.org é@x 5@x a@b@c",
            "@ @. @@ann",
            "menu/item http://reddit.com/u/ann/a a/u/ann //u/ann u/ u/ab km/u",
            "@/u/ann me-u/ann u/-u/ann u/a-/u/ann",
        ],
    )
    def test_mail_addresses_paths_and_words_stay(self, text: str) -> None:
        assert cleaned(text, "user_names") == (text, 0)

    @given(
        parts=st.lists(
            st.from_regex(r"@[A-Za-z0-9_]{1,15}|/?u/[A-Za-z0-9_]{3,20}", fullmatch=True)
            | st.sampled_from(["a", "me@x.org", "a/b", "menu/soup", "@", "u/"])
        )
    )
    def test_each_name_among_words_counts(self, parts: list[str]) -> None:
        are_names = [
            len(part) > 1 and part.startswith(("@", "/u/", "u/")) and part != "u/" for part in parts
        ]
        expected = [
            "USER" if is_name else part for part, is_name in zip(parts, are_names, strict=True)
        ]

        assert cleaned(" ".join(parts), "user_names") == (" ".join(expected), sum(are_names))


ALL_CHARACTERS = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]

LINE_ENDS = "\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029"


def is_needed(character: str) -> bool:
    """Whether a format character is seen, or other characters are not written without it."""
    name = unicodedata.name(character)
    return name.startswith(
        ("ZERO WIDTH NON-J", "ZERO WIDTH J", "MONGOLIAN", "EGYPTIAN", "TAG ")
    ) or (
        name == "CANCEL TAG"
        or (name.startswith(("ARABIC", "SYRIAC", "KAITHI")) and name != "ARABIC LETTER MARK")
    )


def after_cleaning(character: str) -> str:
    """What a character should become by its Unicode category."""
    if character in LINE_ENDS:
        return "\n"
    category = unicodedata.category(character)
    goes = (category == "Cc" and character not in "\t\n") or (
        category == "Cf" and not is_needed(character)
    )
    return "" if goes else character


class TestControlCharacters:
    def test_every_character_goes_or_stays_by_its_category(self) -> None:
        text = "".join(ALL_CHARACTERS)
        expected = [after_cleaning(character) for character in ALL_CHARACTERS]

        count = sum(map(str.__ne__, expected, ALL_CHARACTERS))
        assert cleaned(text, "control_characters") == ("".join(expected), count)

    @given(
        text=st.text(
            st.sampled_from(
                "ab \t\n\xa0\xad\0\r\x85\u200b\u200c\u200d\u200e\u2028\ufeff\U000e0067é"
            )
        )
    )
    def test_each_character_that_is_changed_counts(self, text: str) -> None:
        expected = "".join(map(after_cleaning, text))

        count = sum(after_cleaning(character) != character for character in text)
        assert cleaned(text, "control_characters") == (expected, count)

    @given(text=st.text())
    def test_no_control_character_is_left(self, text: str) -> None:
        result, _ = cleaned(text, "control_characters")

        left = {character for character in result if unicodedata.category(character) == "Cc"}
        assert left <= {"\t", "\n"}
        assert len(result.splitlines()) <= result.count("\n") + 1  # nothing else ends a line

    @pytest.mark.parametrize(
        "text",
        [
            "می\u200cخواهم",
            "👩\u200d🔬",
            "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
            "\u06dd١",
            "a\tb\nc\u00a0d",
        ],
        ids=["Persian", "emoji", "flag", "end of ayah", "white space"],
    )
    def test_what_scripts_and_emoji_need_stays(self, text: str) -> None:
        assert cleaned(text, "control_characters") == (text, 0)

    @pytest.mark.parametrize(
        ("text", "expected", "count"),
        [
            ("hy\u00adphen\u200b", "hyphen", 2),
            ("one\u2028two\ftre\x85four", "one\ntwo\ntre\nfour", 3),
            ("\ufeffabc\u202e\u2066d\u2069", "abcd", 4),
            ("a\x00\x1b[0mb", "a[0mb", 2),
        ],
    )
    def test_words_stay_whole_and_apart(self, text: str, expected: str, count: int) -> None:
        assert cleaned(text, "control_characters") == (expected, count)


class TestNormalisation:
    @pytest.mark.parametrize("form", ["NFC", "NFKC"])
    @given(text=st.text() | st.text(st.sampled_from("aeé\u0301\u0327ﬁ①Å가ᄀ")))
    def test_each_text_that_is_not_in_the_form_counts(self, form: Form, text: str) -> None:
        expected = unicodedata.normalize(form, text)

        assert cleaned(text, normalisation=form) == (expected, int(expected != text))
        assert cleaned(expected, normalisation=form) == (expected, 0)

    def test_compatibility_is_a_choice(self) -> None:
        text = "e\u0301 ﬁ ①"

        assert cleaned(text, normalisation="NFC") == ("é ﬁ ①", 1)
        assert cleaned(text, normalisation="NFKC") == ("é fi 1", 1)
