"""CSV files as spreadsheets and people write them: understood, or refused with the line and the cell that is wrong."""

import pytest

from cefl_bench.errors import UserError
from cefl_bench.tables import read_cells, read_table

ROWS = [{"name": "a", "path": "clips/a b.mp4", "label": "sad"}, {"name": "Zoë", "path": "x,y;z.mp4", "label": ""}]
WRITTEN = {
    "commas": 'name,path,label\na,clips/a b.mp4,sad\nZoë,"x,y;z.mp4",\n',
    "semicolons, as Excel in German": 'name;path;label\na;clips/a b.mp4;sad\nZoë;"x,y;z.mp4";\n',
    "tabs": "name\tpath\tlabel\na\tclips/a b.mp4\tsad\nZoë\tx,y;z.mp4\t\n",
    "a mark of UTF-8 and Windows lines": '\ufeffname,path,label\r\na,clips/a b.mp4,sad\r\nZoë,"x,y;z.mp4",\r\n',
    "old Mac lines": 'name,path,label\ra,clips/a b.mp4,sad\rZoë,"x,y;z.mp4",\r',
    "a line that tells the separator": 'sep=;\nname;path;label\na;clips/a b.mp4;sad\nZoë;"x,y;z.mp4";\n',
    "capital letters and blanks": 'Name, PATH ,Label\n a , clips/a b.mp4, sad \nZoë, "x,y;z.mp4",\n',
    "blank rows at the end": 'name,path,label\n\na,clips/a b.mp4,sad\n,,\nZoë,"x,y;z.mp4",\n,,\n\n',
    "other columns too": 'label,mood,name,path\nsad,7,a,clips/a b.mp4\n,,Zoë,"x,y;z.mp4"\n',
}


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_a_table_is_read_however_it_is_written(text, tmp_path):
    path = tmp_path / "videos.csv"
    path.write_bytes(text.encode())
    rows = [{column: row[column] for column in ("name", "path", "label")} for _, row in read_table(path, "name")]
    assert rows == ROWS


def test_rows_know_their_line_in_the_file(tmp_path):
    (tmp_path / "a.csv").write_text('sep=,\nname,note\na,"two\nlines"\n\nb,x\n')
    assert [where.rpartition(" ")[2] for where, _ in read_table(tmp_path / "a.csv", "name")] == ["4", "6"]
    assert read_cells(tmp_path / "a.csv").rows == [(4, ["a", "two\nlines"]), (6, ["b", "x"])]


REFUSED = {
    "a decimal comma": ("name,label\na,0\nb,0,9\n", r"line 3: 3 cells below 2 columns, '9' left over: .* point"),
    "a comma in a path": ("name,path\nb,a, b.mp4\n", r"line 2: 3 cells below 2 columns, 'b\.mp4' left over: quote"),
    "a cell too few": ("name,path,label\na,b.mp4\n", r"line 2: 2 cells below 3 columns, none for 'label'"),
    "no such column": ("Nom;chemin\na;b.mp4\n", r"no column name, path: .*, and found 'Nom,chemin'"),
    "a column twice": ("name,path,Name\na,b,c\n", r"two columns are called 'name'"),
    "nothing": ("", "is empty: expected a header"),
    "nothing but separators": (";;\n;;\n", "is empty: expected a header"),
    "a huge cell": (f"name,path\na,{'x' * 140_000}\n", "line 2: not CSV .field larger than field limit"),
    "a quote that nobody closes": ('name,path\na,"b.mp4\nc,d.mp4\n', r"line 3: not CSV .unexpected end of data"),
}


@pytest.mark.parametrize(("text", "said"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_named_with_its_line(text, said, tmp_path):
    path = tmp_path / "videos.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=said) as error:
        list(read_table(path, "name", "path"))
    message = str(error.value)
    assert "videos.csv" in message and "\n" not in message and len(message) < 400


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "cp850"])
def test_another_encoding_is_named(encoding, tmp_path):
    (tmp_path / "videos.csv").write_bytes("name,path\nZoë,a.mp4\n".encode(encoding))
    with pytest.raises(UserError, match=r"videos\.csv is not a UTF-8 text file .*: save it as UTF-8"):
        list(read_table(tmp_path / "videos.csv", "name", "path"))


def test_a_table_that_cannot_be_opened_is_named(tmp_path):
    with pytest.raises(UserError, match=r"cannot be read .Is a directory"):
        read_cells(tmp_path)
