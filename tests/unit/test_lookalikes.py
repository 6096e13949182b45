import pytest

from accounts import lookalikes


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("сосо", "coco"),
        ("al\u0131ce", "alice"),
        ("aIice", "alice"),
        ("alice1", "alicel"),
        ("alice\u0661", "alice1"),
        ("ann_lee", "ann-lee"),
        ("ОЛЕГ", "OЛEГ"),
    ],
)
def test_names_that_are_drawn_alike_look_alike(name, other):
    assert lookalikes.look(name) == lookalikes.look(other)


@pytest.mark.parametrize(("name", "other"), [("jose", "josé"), ("ann", "anna"), ("李雷", "李蕾"), ("mia", "mla")])
def test_names_that_people_tell_apart_do_not(name, other):
    assert lookalikes.look(name) != lookalikes.look(other)


@pytest.mark.parametrize(
    "name", ["admin", "Admin", "ADMlN", "admin2", "аdmin", "管理员", "system_1", "all", "everyone"]
)
def test_names_of_the_house_are_reserved(name):
    assert lookalikes.is_reserved(name)


@pytest.mark.parametrize("name", ["adminton", "bot", "bot.7", "allan", "hereward", "root-beer", "lee", "管理", "7"])
def test_other_names_are_not(name):
    assert not lookalikes.is_reserved(name)


@pytest.mark.parametrize("name", ["\u0430lice", "Иvan", "αlpha"])
def test_two_alphabets_in_one_name_are_seen(name):
    assert lookalikes.mixes_alphabets(name)


@pytest.mark.parametrize("name", ["alice", "Иван", "Ωμέγα", "李Lei", "タローtaro", "7"])
def test_one_alphabet_beside_characters_is_none_of_that(name):
    assert not lookalikes.mixes_alphabets(name)
