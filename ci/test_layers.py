"""Tests of ci/layers: forbidden imports are caught, allowed ones are not.

Run by ci/test, or by `python3 ci/test_layers.py`.
"""

import contextlib
import importlib.machinery
import importlib.util
import io
import pathlib
import sys
import tempfile
import tomllib
import unittest
from unittest import mock

CI = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("layers", str(CI / "layers"))
layers = importlib.util.module_from_spec(importlib.util.spec_from_loader("layers", loader))
loader.exec_module(layers)

LIB = """
mod error; pub mod decision; pub mod policy; pub mod monitor; pub mod network; pub mod engine;
pub use error::{Error, Result}; pub use crate::monitor::Drift as Wander;
"""
ALLOWED = {
    "error": [],
    "decision": ["error"],
    "policy": ["decision", "network::Classifier"],
    "monitor": ["decision"],
    "network": ["decision", "error"],
    "engine": ["*"],
}
NAMES = {"tract*": ["network"], "std::fs": []}
NOTHING = {"error": "", "decision": "", "policy": "", "monitor": "", "network": "", "engine": ""}


class Modules(unittest.TestCase):
    """What a module may name, one snippet a test."""

    def problems(self, files: dict[str, str] | str, lib: str = LIB) -> list[str]:
        """Checks a crate whose `policy` (or whose `files`) has the given text."""
        files = {"policy": files} if isinstance(files, str) else files
        with tempfile.TemporaryDirectory() as folder:
            src = pathlib.Path(folder)
            for name, text in {**NOTHING, **files, "lib": lib}.items():
                path = src / f"{name}.rs"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            found = layers.check_modules(src, ALLOWED, NAMES)
            return [problem.replace(f"{src}/", "") for problem in found]

    def assert_caught(self, files: dict[str, str] | str, *parts: str) -> None:
        """Exactly one problem, which has all the parts in it."""
        problems = self.problems(files)
        self.assertEqual(len(problems), 1, problems)
        for part in parts:
            self.assertIn(part, problems[0])

    def assert_clean(self, files: dict[str, str] | str) -> None:
        """No problem at all."""
        self.assertEqual(self.problems(files), [])

    def test_a_forbidden_import_is_caught_with_its_line(self) -> None:
        self.assert_caught(
            "//! Doc.\n\nuse crate::monitor::Drift;\n",
            "policy.rs:3: `policy` may not import `monitor`",
            "decision, network::Classifier",
        )

    def test_an_allowed_import_is_not(self) -> None:
        self.assert_clean("use crate::decision::{Threshold, Verdict as V};")

    def test_a_forbidden_branch_of_a_use_tree_over_lines_is_caught(self) -> None:
        self.assert_caught(
            "pub(crate) use crate::{\n  decision::{self, a::{B, C}},\n  monitor::Drift as D,\n};",
            "policy.rs:1: `policy` may not import `monitor` (crate::monitor::Drift)",
        )

    def test_super_paths_are_resolved(self) -> None:
        self.assert_caught("use super::monitor::Drift;", "may not import `monitor`")
        self.assert_caught(
            {"policy/limits": "fn f() -> super::super::monitor::Drift { todo() }"},
            "policy/limits.rs:1",
        )
        self.assert_clean({"policy/limits": "use super::monitor::Own;", "policy": "mod limits;"})
        self.assert_caught("mod inner { use super::super::monitor::Drift; }", "may not import")
        self.assert_clean("mod inner { use super::monitor; }\nmod monitor {}")

    def test_paths_in_expressions_types_and_macros_are_caught(self) -> None:
        self.assert_caught("fn f() { let x = crate::monitor::Drift::new(); }", "`monitor`")
        self.assert_caught("struct S { d: Vec<crate::monitor::Drift> }", "`monitor`")
        self.assert_caught("macro_rules! m { () => { $crate::monitor::new() } }", "`monitor`")

    def test_a_re_export_is_resolved_to_its_home(self) -> None:
        self.assert_caught("use crate::Result;", "may not import `error` (crate::Result)")
        self.assert_clean({"decision": "use crate::{Error, Result};"})
        self.assert_caught("use crate::Wander;", "may not import `monitor` (crate::Wander)")
        self.assert_caught("use crate::Nowhere;", "not re-exported by lib.rs")

    def test_the_whole_crate_cannot_be_imported(self) -> None:
        self.assert_caught("use crate::*;", "name the module")
        self.assert_caught("use super::*;", "name the module")
        self.assert_caught("use crate as root;\nfn f() { root::monitor::g() }", "`monitor`")

    def test_only_a_part_of_a_module_can_be_allowed(self) -> None:
        self.assert_clean("use crate::network::Classifier;")
        self.assert_caught("use crate::network::{Classifier, Network};", "crate::network::Network")

    def test_comments_strings_and_lifetimes_do_not_count(self) -> None:
        self.assert_clean(
            "//! [`crate::monitor::Drift`]\n/* /* use crate::monitor::A; */ crate::monitor::B */\n"
            "const A: &str = \"crate::monitor::C \\\" crate::monitor::D\";\n"
            "const B: &str = r#\"\" crate::monitor::E\"#;\n"
            "fn f<'a>(c: char) -> bool { c == '\"' || c == '\\'' || c == '\\u{27}' }\n"
            "// \" crate::monitor::F\n"
        )

    def test_test_code_does_not_count_and_what_follows_does(self) -> None:
        self.assert_clean(
            "#[cfg(test)]\n#[allow(x)]\nmod tests { use super::*; use crate::monitor::Drift; }\n"
            "#[cfg(test)] use crate::{monitor::A, engine::B};\n"
            "#[cfg(all(test, unix))] pub(crate) const fn f() { crate::monitor::g() }\n"
            "struct S { #[cfg(test)] seen: crate::monitor::Drift, kept: u8 }\n"
        )
        self.assert_caught("#[cfg(test)]\nmod tests {}\nuse crate::monitor::Drift;", ".rs:3")
        self.assert_caught("#[cfg(test)]\nuse a::{b};\nuse crate::monitor::Drift;", ".rs:3")
        self.assert_caught("#[cfg(not(test))]\nuse crate::monitor::Drift;", ".rs:2")

    def test_a_test_module_in_its_own_file_does_not_count(self) -> None:
        self.assert_clean(
            {"policy": "#[cfg(test)] mod tests;", "policy/tests": "use crate::monitor::Drift;"}
        )
        self.assert_clean("#![cfg(test)]\nuse crate::monitor::Drift;")

    def test_names_from_outside_stay_where_they_belong(self) -> None:
        self.assert_clean({"network/load": "use tract_onnx::prelude::*;"})
        self.assert_caught("use tract_onnx::prelude::*;", "`policy` names `tract*`; `network` may")
        self.assert_caught("fn f() { ::tract_core::g() }", "names `tract*`")
        self.assert_caught("extern crate tract_nnef;", "names `tract*`")
        self.assert_caught("use std::{fmt, fs};", "names `std::fs`; no module may")
        self.assert_caught("use std::fs::{\n  self, File};\nfn f() { fs::read(p) }", "rs:1")
        self.assert_clean("fn f(tract_x: u8) -> u8 { tract_x }")
        self.assertEqual(len(self.problems({}, LIB + "pub use tract_onnx;")), 1)

    def test_an_unknown_module_is_a_failure(self) -> None:
        problems = self.problems({"gossip": ""}, LIB + "mod gossip;")
        self.assertIn("module `gossip` is not in the table: add it to ci/layers.toml", problems[0])

    def test_the_composition_root_may_import_everything(self) -> None:
        self.assert_clean({"engine": "use crate::{monitor::A, network::B, policy::C, Error};"})

    def test_a_circle_in_the_table_is_a_failure(self) -> None:
        self.assertEqual(layers.check_cycles(ALLOWED), [])
        circle = layers.check_cycles({"a": ["b::C"], "b": ["a"]})
        self.assertIn("circle", circle[0])


class Crates(unittest.TestCase):
    """What a crate may depend on."""

    RULES = {
        "core": {"workspace": ["kernels"], "never": ["clap"]},
        "kernels": {"workspace": [], "only": []},
        "cli": {"workspace": ["core"]},
    }

    def problems(self, **edges: list[str]) -> list[str]:
        """Checks a workspace with these dependencies; `dev:` marks a dev one."""
        ids = {*self.RULES, *edges, *(dep.removeprefix("dev:") for e in edges.values() for dep in e)}
        nodes = [
            {
                "id": name,
                "deps": [
                    {
                        "pkg": dep.removeprefix("dev:"),
                        "dep_kinds": [{"kind": "dev" if dep.startswith("dev:") else None}],
                    }
                    for dep in edges.get(name, [])
                ],
            }
            for name in ids
        ]
        metadata = {
            "packages": [{"id": name, "name": name} for name in ids],
            "resolve": {"nodes": nodes},
            "workspace_members": [*self.RULES, *(["ffi"] if "ffi" in ids else [])],
        }
        return layers.check_crates(metadata, self.RULES)

    def test_the_planned_dependencies_are_allowed(self) -> None:
        edges = {"core": ["kernels", "log"], "cli": ["core", "clap"], "kernels": ["dev:proptest"]}
        self.assertEqual(self.problems(**edges), [])

    def test_wrong_dependencies_are_caught(self) -> None:
        self.assertIn("`kernels` depends on `log`: a crate outside", self.problems(kernels=["log"])[0])
        self.assertIn("`core` depends on `cli`: a member", self.problems(core=["cli"])[0])
        deep = self.problems(core=["log"], log=["clap"])
        self.assertEqual(deep, ["crate `core` depends on `clap`: a crate that may not be in its tree"])
        self.assertIn("crate `ffi` is not in the table", self.problems(ffi=[])[0])


class Program(unittest.TestCase):
    """The script as a whole, on this repository."""

    def test_the_table_is_well_formed(self) -> None:
        table = tomllib.loads((CI / "layers.toml").read_text(encoding="utf-8"))
        self.assertEqual(set(table), {"modules", "names", "crates"})
        for allowed in table["modules"].values():
            known = allowed.keys() | {"*"}
            for name, may in allowed.items():
                self.assertLessEqual({entry.split("::")[0] for entry in may}, known, name)

    def test_a_broken_rule_gives_exit_code_1(self) -> None:
        argv, out = ["layers"], io.StringIO()
        broken = mock.patch.object(layers, "check_modules", return_value=["a broken rule"])
        with broken, mock.patch.object(sys, "argv", argv), contextlib.redirect_stdout(out):
            self.assertEqual(layers.main(), 1)
        self.assertIn("a broken rule\n", out.getvalue())


if __name__ == "__main__":
    unittest.main()
