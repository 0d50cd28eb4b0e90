"""Builds the compiled core: one C++20 source, one plain shared library per instruction set.

The libraries need no Python headers and are loaded with ``ctypes``. Every one of them is optional:
where a compiler is missing, too old or not asked for, the installation succeeds all the same
and the library computes with NumPy.
"""

import os
import platform
import sys
from pathlib import Path
from typing import Any

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

NATIVE = Path("src/native")
COMMON = ["-O3", "-std=c++20", "-fno-math-errno"]
INSTRUCTION_SETS = {
    "generic": [],
    "avx2": ["-mavx2", "-mfma"],
    "avx512": ["-mavx512f", "-mavx512dq", "-mavx512vl", "-mfma", "-mprefer-vector-width=512"],
}


def extensions() -> list[Extension]:
    """List the libraries that make sense on this machine."""
    sources = sorted(path.as_posix() for path in NATIVE.glob("*.cpp"))
    if not sources or sys.platform == "win32":  # MSVC has no vector extensions: NumPy there
        return []
    is_x86 = platform.machine().lower() in {"x86_64", "amd64"}
    return [
        Extension(
            f"thalweg._native.{name}",
            sources,
            depends=sorted(path.as_posix() for path in NATIVE.iterdir() if path.is_file()),
            extra_compile_args=[*COMMON, *flags],
            language="c++",
            optional=True,
        )
        for name, flags in INSTRUCTION_SETS.items()
        if is_x86 or name == "generic"
    ]


class BuildCore(build_ext):
    """Compile each library into its own folder, so that they can be built side by side."""

    def initialize_options(self) -> None:
        """Build as many libraries at once as there are cores."""
        super().initialize_options()
        self.parallel = os.cpu_count() or 1

    def get_ext_filename(self, fullname: str) -> str:
        """Name the file without Python's version: it is no extension module."""
        return str(Path(*fullname.split("."))) + ".so"

    def build_extension(self, ext: Extension) -> None:
        """Compile and link one library; an error is caught by the caller (``optional``)."""
        output = Path(self.get_ext_fullpath(ext.name))
        output.parent.mkdir(parents=True, exist_ok=True)
        objects = self.compiler.compile(
            ext.sources,
            output_dir=str(Path(self.build_temp) / ext.name.rpartition(".")[2]),
            extra_postargs=ext.extra_compile_args,
            depends=ext.depends,
        )
        self.compiler.link_shared_object(objects, str(output), target_lang="c++")


class PlainWheel(bdist_wheel):
    """Tag wheels ``py3-none-PLATFORM``: the libraries do not depend on the Python version."""

    def get_tag(self) -> tuple[str, str, str]:
        """Keep the platform, drop interpreter and ABI."""
        _, _, platform_tag = super().get_tag()
        return "py3", "none", platform_tag


commands: dict[str, Any] = {"build_ext": BuildCore, "bdist_wheel": PlainWheel}
setup(ext_modules=extensions(), cmdclass=commands)
