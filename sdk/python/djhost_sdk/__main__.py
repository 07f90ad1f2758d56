"""`python -m djhost_sdk build FILE.py… -o OPS.wasm`"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent

# componentize-py looks for the functions of an interface in the app's module, and for its resources in a module named after it.
APP = """\
import {modules}
from djhost_sdk import component

component.check()


class Ops:
    def describe(self):
        return component.describe()
"""
RESOURCES = "from djhost_sdk.component import Op\n"
TAKEN = ("djhost_app", "djhost_sdk", "ops", "wit_world", "poll_loop")


def contract():
    """The directory of the WIT files: next to the package in a checkout, inside it when installed."""
    found = next((path for path in (PACKAGE / "wit", PACKAGE.parent / "wit") if (path / "op.wit").is_file()), None)
    return found or sys.exit("error: the package has no wit/op.wit; install it again")


def componentize():
    """The tool, of the Python that runs this or on the PATH."""
    own = Path(sys.executable).with_name("componentize-py")
    found = own if own.is_file() else shutil.which("componentize-py")
    return found or sys.exit("error: componentize-py is not installed: run `pip install componentize-py==0.25.1`")


def build(files, output, paths):
    """Makes a component of the operators in these files."""
    for file in files:
        if not file.is_file() or not file.stem.isidentifier():
            sys.exit(f"error: {file} is no Python file that can be imported")
        if file.stem in sys.stdlib_module_names or file.stem in TAKEN:
            sys.exit(f"error: {file} has the name of another module, which would be imported in its place: give it another name")
    with tempfile.TemporaryDirectory() as temporary:
        app = Path(temporary)
        (app / "djhost_app.py").write_text(APP.format(modules=", ".join(file.stem for file in files)))
        (app / "ops.py").write_text(RESOURCES)
        # Only the SDK itself, not the packages that happen to be installed beside it; a link would lead out of the build's sandbox.
        shutil.copytree(PACKAGE, app / "djhost_sdk", ignore=shutil.ignore_patterns("__pycache__"))
        path = [app, *dict.fromkeys(file.resolve().parent for file in files), *paths]
        search = [part for directory in path for part in ("-p", str(directory))]
        environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH", "RUST_BACKTRACE")}
        # A component imports all that its world has, whether it uses that or not. What its operators ask for is known once they are loaded:
        # without models first, which `component.check` refuses if one asks for them.
        for world in ("operator", "operator-with-services"):
            command = [componentize(), "-q", "-d", contract(), "-w", world, "componentize", "djhost_app", *search, "-o", output.resolve()]
            done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
            if done.returncode == 0:
                break
        print(done.stdout, end="")
        print(done.stderr, end="", file=sys.stderr)
        if done.returncode != 0:
            sys.exit("error: componentize-py failed; what it printed is above")
    print(f"{output}: {output.stat().st_size / 1e6:.1f} MB")


def main():
    parser = argparse.ArgumentParser(prog="python -m djhost_sdk")
    command = parser.add_subparsers(required=True, metavar="COMMAND").add_parser("build", help="make a component")
    command.add_argument("files", nargs="+", type=Path, metavar="FILE.py", help="modules with operators")
    command.add_argument("-o", "--output", type=Path, required=True, metavar="OPS.wasm")
    command.add_argument("-p", "--path", action="append", default=[], type=Path, help="directory with other modules that they import")
    args = parser.parse_args()
    build(args.files, args.output, args.path)


if __name__ == "__main__":
    main()
