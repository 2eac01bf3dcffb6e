"""The rules of who may import whom, held by walking the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "clipsearch": ROOT / "clipsearch",
    "clipsearch_indexer": ROOT / "indexer/clipsearch_indexer",
    "clipsearch_ui": ROOT / "ui/clipsearch_ui",
}
MODULES = {
    ".".join([package, *path.relative_to(folder).with_suffix("").parts]).removesuffix(".__init__"): path
    for package, folder in PACKAGES.items()
    for path in sorted(folder.rglob("*.py"))
}


def parsed(name: str, path: Path) -> ast.Module:
    """A module's tree, with relative imports written out."""
    tree = ast.parse(path.read_text("utf-8"))
    parts = name.split(".") if path.stem == "__init__" else name.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            node.module = ".".join([*parts[: len(parts) - node.level + 1], *filter(None, [node.module])])
    return tree


TREES = {name: parsed(name, path) for name, path in MODULES.items()}
HEAVY = ("torch", "open_clip", "faiss", "duckdb", "pyarrow", "numpy", "PIL", "pydantic", "msgspec", "streamlit")


def imports(node: ast.AST, *, lazy: bool = False, typing: bool = False) -> Iterator[tuple[str, bool, bool]]:
    """Imported modules below a node, with whether that is in the body of a function, and only for type checkers."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ((alias.name, lazy, typing) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield (child.module or "", lazy, typing)
            yield from ((f"{child.module}.{alias.name}", lazy, typing) for alias in child.names)
        elif isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            yield from imports(ast.Module(child.body, []), lazy=lazy, typing=True)
            yield from imports(ast.Module(child.orelse, []), lazy=lazy, typing=typing)
        else:
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from imports(child, lazy=lazy or inside, typing=typing)


def importers(package: str) -> set[str]:
    """Modules of ours that import a package anywhere but for type checkers."""
    return {
        name
        for name, tree in TREES.items()
        for imported, _, typing in imports(tree)
        if imported.split(".")[0] == package and not typing
    }


def test_the_walk_sees_imports_of_every_kind():
    tree = ast.parse(
        "import a\nif TYPE_CHECKING:\n    import b\nelse:\n    import c\n"
        "def f():\n    from d.e import g\ntry:\n    import h\nexcept E:\n    pass\n"
    )
    assert set(imports(tree)) == {
        ("a", False, False),
        ("b", False, True),
        ("c", False, False),
        ("d.e", True, False),
        ("d.e.g", True, False),
        ("h", False, False),
    }
    assert len(MODULES) > 40


def test_clipsearch_imports_its_neighbours_only_in_command_bodies():
    wrong = [
        (name, imported)
        for name, tree in TREES.items()
        if name.split(".")[0] == "clipsearch"
        for imported, lazy, typing in imports(tree)
        if imported.split(".")[0] in ("clipsearch_indexer", "clipsearch_ui")
        and not (typing and (name == "clipsearch" or name.startswith("clipsearch.cli")))
        and not (lazy and name.startswith("clipsearch.cli."))
    ]
    assert wrong == []


def test_the_pages_import_the_indexer_only_in_function_bodies():
    wrong = [
        (name, imported)
        for name, tree in TREES.items()
        if name.split(".")[0] == "clipsearch_ui"
        for imported, lazy, typing in imports(tree)
        if imported.split(".")[0] == "clipsearch_indexer" and not lazy and not typing
    ]
    assert wrong == []


def test_the_indexer_does_not_know_the_pages_or_the_command_line():
    wrong = [
        (name, imported)
        for name, tree in TREES.items()
        if name.split(".")[0] == "clipsearch_indexer"
        for imported, _, _ in imports(tree)
        if imported.split(".")[0] == "clipsearch_ui" or imported.startswith("clipsearch.cli")
    ]
    assert wrong == []


def test_rooms_below_do_not_know_rooms_above():
    above = {
        "clipsearch.web": ("clipsearch.query", "clipsearch.models", "clipsearch.store", "clipsearch.cli"),
        "clipsearch.store": (
            *("clipsearch.query", "clipsearch.models", "clipsearch.pictures", "clipsearch.labels", "clipsearch.cli"),
        ),
        "clipsearch.pictures": ("clipsearch.query", "clipsearch.models", "clipsearch.store", "clipsearch.cli"),
        "clipsearch.models": ("clipsearch.query", "clipsearch.store", "clipsearch.training", "clipsearch.cli"),
        "clipsearch.training": ("clipsearch.query", "clipsearch.cli"),
        "clipsearch.query": ("clipsearch.cli", "clipsearch.evaluation", "clipsearch.labels"),
        "clipsearch.labels": ("clipsearch.cli",),
        "clipsearch.evaluation": ("clipsearch.cli",),
    }
    wrong = [
        (name, imported)
        for room, others in above.items()
        for name, tree in TREES.items()
        if name.startswith(room)
        for imported, _, _ in imports(tree)
        if imported.startswith(others)
    ]
    assert wrong == []


def test_one_module_imports_duckdb():
    assert importers("duckdb") == {"clipsearch.store.duck"}


NETWORKS = ("clipsearch.models.", "clipsearch.training.")


@pytest.mark.parametrize(
    ("package", "homes"),
    [
        ("torch", NETWORKS),
        ("open_clip", NETWORKS),
        ("transformers", ("clipsearch.models.",)),
        ("faiss", ("clipsearch.ann.",)),
        ("onnxruntime", ("clipsearch.models.towers.",)),
    ],
)
def test_few_packages_import(package, homes):
    found = importers(package)
    assert found
    assert {name for name in found if not name.startswith(homes)} == set()


def test_onnx_runtime_is_told_to_report_to_nobody_wherever_it_is_imported():
    careless = {
        name
        for name in importers("onnxruntime")
        if not any(
            isinstance(node, ast.Call) and ast.unparse(node.func) == "onnx_runtime" for node in ast.walk(TREES[name])
        )
    }
    assert careless == set()


def test_only_the_pages_import_streamlit():
    assert {name.split(".")[0] for name in importers("streamlit")} == {"clipsearch_ui"}


def test_only_the_field_for_an_address_fetches_from_the_web():
    wanting = {
        name
        for name, tree in TREES.items()
        for imported, _, _ in imports(tree)
        if imported.startswith("clipsearch.web") and not name.startswith("clipsearch.web")
    }
    assert wanting == {"clipsearch_ui.search.by_url"}


def test_every_module_says_what_it_is():
    assert [name for name, tree in TREES.items() if not (ast.get_docstring(tree) or "").strip()] == []


def test_only_the_command_line_prints():
    talking = {
        name
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    # The launcher of the pages is the body of a command: it says where the page is.
    assert {name for name in talking if not name.startswith("clipsearch.cli.")} <= {"clipsearch_ui.launch"}


def loaded_after(code: str, env: dict[str, str]) -> set[str]:
    """Those of the heavy packages that a fresh interpreter has loaded after running `code`."""
    show = f"{code}\nimport sys\nprint(*(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", show], env=env, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_clipsearch_loads_nothing_heavy(subprocess_env):
    assert loaded_after("import clipsearch", subprocess_env) == set()


def test_naming_the_public_surface_loads_no_model(subprocess_env):
    code = "import clipsearch\nfor name in clipsearch.__all__: getattr(clipsearch, name)"
    assert not loaded_after(code, subprocess_env) & {"torch", "open_clip", "streamlit"}


def test_the_public_surface_is_there():
    import clipsearch

    assert all(getattr(clipsearch, name) is not None for name in clipsearch.__all__)
    assert set(clipsearch.__all__) == set(clipsearch._HOMES)
