"""Tests of ci/android_library.py: small libraries for arm64 Android that are right,
and others with one thing wrong each, linked as the real one is.

Run by ci/android, or by `python3 ci/test_android_library.py`. Needs clang, lld and
llvm-ar.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import android_library

CI = pathlib.Path(__file__).resolve().parent
TRIPLE = "aarch64-linux-android"
KOTLIN = """package dev.biglittle.internal
internal object NativeFrames {
    external fun classify(engine: Long): String?
}
"""
INTERFACE = "Java_dev_biglittle_internal_NativeFrames_classify JNI_OnLoad uffi_biglittle_ffi_open".split()
INTERFACE[2] = "uniffi_biglittle_ffi_open"
PAGES = "-Wl,-z,max-page-size=16384"


class Library(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.kotlin = self.folder / "NativeFrames.kt"
        self.kotlin.write_text(KOTLIN)
        self.sizes = self.folder / "sizes.toml"

    def found(self, exports=INTERFACE, options=(PAGES,), extra="", bytes=None, triple=TRIPLE):
        """What is said about a library with these."""
        source = self.folder / "library.c"
        source.write_text("".join(f"void {name}(void) {{}}\n" for name in exports) + extra)
        library = self.folder / "libbiglittle_ffi.so"
        subprocess.run(
            [CI / "bionic/linker", "-shared", "-fPIC", "-o", library, source, *options, "-lc", "-Wl,--as-needed"],
            check=True,
            env=os.environ | {"BIGLITTLE_TRIPLE": TRIPLE},
            capture_output=True,
        )
        size = bytes or library.stat().st_size
        self.sizes.write_text(f"tolerance_percent = 5\n{TRIPLE} = {size}\nx86_64-linux-android = {size}\n")
        return " / ".join(android_library.problems(library, [self.kotlin], triple, self.sizes))

    def test_a_library_that_is_right(self):
        self.assertEqual(self.found(extra="extern void abort(void); void *end(void) __attribute__((visibility("
                                    '"hidden"))); void *end(void) { return (void *)abort; }\n'), "")

    def test_a_function_too_few_or_too_many(self):
        self.assertIn("does not export Java_dev_biglittle_internal", self.found(exports=INTERFACE[1:]))
        self.assertIn("more than its interface: cblas_sgemm", self.found(exports=[*INTERFACE, "cblas_sgemm"]))
        self.assertEqual(self.found(exports=[*INTERFACE, "ffi_biglittle_ffi_uniffi_contract_version"]), "")

    def test_small_pages(self):
        self.assertIn("not to pages of 16384", self.found(options=["-Wl,-z,max-page-size=4096"]))

    def test_text_relocations(self):
        table = "void JNI_OnLoad(void); __attribute__((section(\".text\"))) void *table = (void *)JNI_OnLoad;\n"
        self.assertIn("text relocations", self.found(options=[PAGES, "-Wl,-z,notext"], extra=table))

    def test_an_executable_stack(self):
        self.assertIn("stack is executable", self.found(options=[PAGES, "-Wl,-z,execstack"]))

    def test_a_library_that_is_not_on_phones(self):
        stranger = self.folder / "libssl.so"
        subprocess.run(
            ["clang", f"--target={TRIPLE}26", "-fuse-ld=lld", "-nostdlib", "-shared", "-Wl,-soname,libssl.so",
             "-x", "c", "/dev/null", "-o", stranger],
            check=True,
        )
        self.assertIn("it needs libssl.so", self.found(options=[PAGES, "-Wl,--no-as-needed", stranger]))

    def test_a_function_that_bionic_does_not_have(self):
        with self.assertRaises(subprocess.CalledProcessError):
            self.found(extra="void backtrace(void); void *JNI_end(void) { return (void *)backtrace; }\n")

    def test_another_machine(self):
        self.assertIn("not for x86_64-linux-android", self.found(triple="x86_64-linux-android"))

    def test_its_size(self):
        self.assertIn("see what grew", self.found(bytes=1_000))
        self.assertIn("only", self.found(bytes=10_000_000))


if __name__ == "__main__":
    unittest.main()
