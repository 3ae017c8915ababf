"""Replies of MNS, whole and damaged: one message's damage is never its neighbours'."""

from __future__ import annotations

import re
from hashlib import md5
from xml.sax.saxutils import escape

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from imm_tui.cloud.mns_reply import Received, failed_deletes, fields_of, messages_of

NAMESPACE = 'xmlns="http://mns.aliyuncs.com/doc/v1/"'
DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'

legal_text = st.text(
    st.one_of(
        st.sampled_from("&<>\"'\t\n]é你🙂\u2028"),
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"),
    )
)


def message(number: int, body: str) -> str:
    """The source of a message; `body` goes in as it is."""
    return (
        f"<Message><MessageId>id-{number}</MessageId><ReceiptHandle>handle-{number}</ReceiptHandle>"
        f"<MessageBody>{body}</MessageBody><EnqueueTime>1250700979248</EnqueueTime>"
        f"<DequeueCount>2</DequeueCount></Message>"
    )


def reply(*sources: str, root: str = f"<Messages {NAMESPACE}>", declaration: str = DECLARATION) -> str:
    return f"{declaration}{root}\n{''.join(sources)}</{root[1:].split()[0].rstrip('>')}>"


def received(number: int, body: bytes, repaired: bool = False, fits: bool | None = None) -> Received:
    return Received(f"id-{number}", f"handle-{number}", body, 2, 1250700979248, repaired, fits)


@given(st.lists(legal_text, max_size=16))
def test_every_text_that_xml_can_carry_arrives_exactly(bodies: list[str]) -> None:
    source = reply(*(message(number, escape(body)) for number, body in enumerate(bodies)))
    assert messages_of(source.encode()) == [received(number, body.encode()) for number, body in enumerate(bodies)]


POISON = {
    b"&#1;": b"\x01",
    b"&#x1b;[2J": b"\x1b[2J",
    b"\x01": b"\x01",
    b"\x00": b"\x00",
    b"\xff\xfe\x80": b"\xff\xfe\x80",
    b"\xd6\xd0\xce\xc4": b"\xd6\xd0\xce\xc4",
    b"\xed\xa0\x80": b"\xed\xa0\x80",
    b"\xef\xbf\xbf": b"\xef\xbf\xbf",
    b"this & that": b"this & that",
    b"&nbsp;&lt;": b"&nbsp;<",
    b"&#xD800;&#1114112;&#99999999999;": b"&#xD800;&#1114112;&#99999999999;",
    b"x < y <br>": b"x < y <br>",
    b"<Message><Code>": b"<Message><Code>",
    b"<![CDATA[a & <Message></MessageBody>]]>&#2;&amp;": b"a & <Message></MessageBody>\x02&",
    b"]]>&#3;": b"]]>\x03",
    "🙂&#4;".encode(): "🙂\x04".encode(),
}


@pytest.mark.parametrize(("poison", "body"), POISON.items(), ids=[ascii(poison) for poison in POISON])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_poisoned_message_is_repaired_and_its_neighbours_arrive_untouched(
    poison: bytes, body: bytes, place: int
) -> None:
    sources = [message(number, f"你好 &amp; {number}") for number in range(3)]
    sources[place] = message(place, "POISON")
    expected = [received(number, f"你好 & {number}".encode()) for number in range(3)]
    expected[place] = received(place, body, repaired=True)
    for root in (f"<Messages {NAMESPACE}>", "<Messages>"):
        assert messages_of(reply(*sources, root=root).encode().replace(b"POISON", poison)) == expected


@given(legal_text, st.sampled_from(list(POISON)), legal_text)
def test_what_stands_round_the_poison_is_kept(before: str, poison: bytes, after: str) -> None:
    body = escape(before).encode() + poison + escape(after).encode()
    source = reply(message(0, "BODY"), message(1, "fine")).encode().replace(b"BODY", body)
    found = messages_of(source)
    assert found is not None
    assert found[0].repaired
    assert found[0].body.startswith(before.encode())
    assert found[0].body.endswith(after.encode())
    assert found[1] == received(1, b"fine")


def digested(number: int, body: str, digest: str) -> str:
    """The source of a message with a MessageBodyMD5."""
    return message(number, body).replace("<EnqueueTime>", f"<MessageBodyMD5>{digest}</MessageBodyMD5><EnqueueTime>")


@given(legal_text, st.booleans())
def test_a_body_that_fits_its_digest_is_whole(body: str, capitals: bool) -> None:
    digest = md5(body.encode()).hexdigest()
    source = reply(digested(0, escape(body), digest.upper() if capitals else digest))
    assert messages_of(source.encode()) == [received(0, body.encode(), fits=True)]


def test_line_ends_that_an_xml_parser_makes_one_byte_of_are_no_damage() -> None:
    source = reply(digested(0, "{\r\n}\r\n", md5(b"{\r\n}\r\n").hexdigest()))
    assert messages_of(source.encode()) == [received(0, b"{\r\n}\r\n", fits=True)]


@given(legal_text, legal_text)
def test_a_body_that_does_not_fit_its_digest_says_so_and_its_neighbour_does_not(sent: str, arrived: str) -> None:
    assume(sent.replace("\r\n", "\n") != arrived)
    source = reply(digested(0, escape(arrived), md5(sent.encode()).hexdigest()), message(1, "fine"))
    assert messages_of(source.encode()) == [received(0, arrived.encode(), fits=False), received(1, b"fine")]


@pytest.mark.parametrize("digest", ["", " ", "0" * 31, "0" * 33, "g" * 32, "\N{FULLWIDTH DIGIT ONE}" * 32])
def test_what_is_no_digest_is_no_damage(digest: str) -> None:
    assert messages_of(reply(digested(0, "one", digest)).encode()) == [received(0, b"one")]


def test_a_section_that_is_never_closed_hides_nothing_before_it() -> None:
    source = reply(message(0, "one"), message(1, "<![CDATA[never closed"))
    assert messages_of(source.encode()) == [received(0, b"one"), received(1, b"never closed", repaired=True)]


@pytest.mark.parametrize("gap", ["", "\n  "])
@pytest.mark.parametrize("lost", ["</MessageBody>", "]]>", "]]></MessageBody>"])
def test_what_a_message_never_closes_swallows_none_that_follows(lost: str, gap: str) -> None:
    # The last one is damaged because a section may end in the next message's: that is well-formed.
    sources = [*(message(number, f"<![CDATA[{number}]]>") for number in range(2)), message(2, "&#1;")]
    found = messages_of(reply(gap.join([sources[0].replace(lost, "", 1), *sources[1:]])).encode())
    assert found is not None
    assert (found[0].message_id, found[0].receipt_handle, found[0].repaired) == ("id-0", "handle-0", True)
    assert found[1:] == [received(1, b"1"), received(2, b"\x01", repaired=True)]


def test_a_prefix_that_the_root_declares_is_known_in_every_part() -> None:
    source = reply(message(0, "one"), message(1, "&#1;"))
    prefixed = re.sub(r"(</?)(?=[A-Z])", r"\1m:", source).replace("xmlns=", "xmlns:m=")
    assert messages_of(prefixed.encode()) == [received(0, b"one"), received(1, b"\x01", repaired=True)]


def test_a_single_message_is_read_like_a_batch() -> None:
    assert messages_of(message(1, "one").encode()) == [received(1, b"one")]
    assert messages_of(message(1, "&#1;").encode()) == [received(1, b"\x01", repaired=True)]


@pytest.mark.parametrize(
    ("encoding", "declared"), [("gbk", "GBK"), ("gb18030", "gb2312"), ("utf-16", "UTF-16"), ("utf-8-sig", "utf-8")]
)
def test_another_encoding_is_damage_to_nobody(encoding: str, declared: str) -> None:
    declaration = f'<?xml version="1.0" encoding="{declared}"?>'
    source = reply(message(0, "中文 &amp; more"), declaration=declaration).encode(encoding)
    assert messages_of(source) == [received(0, "中文 & more".encode())]


def test_what_a_message_lacks_or_has_too_much_is_no_damage() -> None:
    source = """<Messages>
      <Message><MessageId>a</MessageId></Message>
      <Message><ReceiptHandle>b</ReceiptHandle><MessageBody/><DequeueCount/><EnqueueTime>soon</EnqueueTime></Message>
      <Message><MessageBody>nobody's</MessageBody></Message>
      <Message><MessageId> c </MessageId><New><Deep>er</Deep></New><DequeueCount>0</DequeueCount>
        <MessageBody>
          <!-- a comment --><![CDATA[<c>]]></MessageBody></Message>
      <Message><MessageId>d</MessageId><MessageBody>1<junk>2<Message/></junk>3</MessageBody></Message>
      <Else/>
    </Messages>"""
    assert messages_of(source.encode()) == [
        Received("a", "", b"", 1, None),
        Received("", "b", b"", 1, None),
        Received("c", "", b"\n          <c>", 0, None),
        Received("d", "", b"123", 1, None),
    ]


@pytest.mark.parametrize("cut", ["</Messages>", "</Message></Messages>", "0</EnqueueTime>"])
def test_the_whole_messages_of_a_reply_that_breaks_off_arrive(cut: str) -> None:
    source = reply(message(0, "one"), message(1, "two"))
    found = messages_of(source[: source.rindex(cut) if cut in source else -90].encode())
    assert found is not None
    assert found[0] == received(0, b"one")
    assert [(part.receipt_handle, part.body) for part in found[1:]] == [("handle-1", b"two")]


def test_what_a_document_type_declares_is_not_expanded() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    for lead in ("", "<!-- hello --> ", '<?xml-stylesheet href="x"?>\n'):
        source = reply(message(0, "&b;"), declaration=DECLARATION + lead + bomb)
        assert messages_of(source.encode()) == [received(0, b"&b;", repaired=True)]
    quoting = reply(message(0, "<![CDATA[<!DOCTYPE html>]]>"))
    assert messages_of(quoting.encode()) == [received(0, b"<!DOCTYPE html>")]


@pytest.mark.parametrize(
    "source",
    [b"", b" ", b"{}", b"<html></html>", b"<html><p>", b"<Error/>", b"<Messages", b"<Messages><a", b"\x00" * 9],
)
def test_what_is_no_reply_to_a_receive_is_told_from_an_empty_one(source: bytes) -> None:
    assert messages_of(source) is None
    assert messages_of(b"<Messages/>") == []


TOKENS = (
    "<Messages> </Messages> <Message> </Message> <MessageBody> </MessageBody> <MessageId> </MessageId> <![CDATA[ ]]> "
    "& &#1; &amp; x <?xml\xa0version='1.0'\xa0encoding=' gbk utf-7 idna '?> <!DOCTYPE\xa0x\xa0[ ]> <!-- -->"
)
fragments = st.lists(st.sampled_from(TOKENS.split(" ")), max_size=30).map(
    lambda tokens: "".join(tokens).replace("\xa0", " ").encode()
)


@given(st.one_of(st.binary(), fragments))
def test_no_bytes_make_it_fail(source: bytes) -> None:
    for found in messages_of(source) or []:
        assert found.message_id or found.receipt_handle
        found.message_id.encode()
        found.receipt_handle.encode()
    assert failed_deletes(source) is None
    assert isinstance(fields_of(source, "Error"), dict)


@pytest.mark.parametrize(
    "source",
    [
        b"<Messages>" + b"<MessageBody>" * 200_000,
        b"<Messages>" + b"<Message>" * 50_000 + b"&",
        b"<Messages><Message><MessageBody>" + b"<![CDATA[" * 200_000,
        b"<Messages>" + b"<?a?><!--b-->" * 100_000,
        b"<?a?>" * 200_000,
        b"<" * 1_000_000,
        b"<Messages><Message><MessageId>" + b"<" * 1_000_000,
        b"<a:" * 300_000,
        b"<Messages><Message><MessageBody>" + b"</MessageBody" * 100_000,
        b"<Messages>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</Messages>",
    ],
    ids=lambda source: repr(source[:30]),
)
@pytest.mark.timeout(10)
def test_damage_costs_no_more_time_than_its_length(source: bytes) -> None:
    messages_of(source)
    fields_of(source, "Error")
