"""Payloads that run something where a file is unpickled carelessly; each only leaves a canary.

Nothing in them can harm: they touch a file in the working folder, connect to a closed port of
this machine, or load a library that is loaded already.
"""

from __future__ import annotations

import io
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.trust.watch import MODULE

CANARY = "CANARY"  # the file that must never be there
SECRET = "SECRET"  # the file that must never be opened
MAKE = f"open({CANARY!r}, 'w').close()"


def text(value: str) -> bytes:
    data = value.encode()
    return b"X" + len(data).to_bytes(4, "little") + data


def call(name: str, *arguments: str) -> bytes:
    """Opcodes of ``module.name(texts...)``."""
    module, _, last = name.rpartition(".")
    given = b"(" + b"".join(map(text, arguments)) + b"t"
    return f"c{module}\n{last}\n".encode() + given + b"R"


def stacked(name: str, *arguments: str) -> bytes:
    """The same by STACK_GLOBAL, whose names come from the stack and not from the opcode."""
    module, _, last = name.rpartition(".")
    return text(module) + text(last) + b"\x93(" + b"".join(map(text, arguments)) + b"tR"


def attribute(owner: bytes, name: str) -> bytes:
    return b"cbuiltins\ngetattr\n(" + owner + text(name) + b"tR"


TOUCH = f"touch {CANARY}"


def _marshalled() -> bytes:
    import marshal

    code = marshal.dumps(compile(MAKE, "x", "exec"))
    loaded = b"cmarshal\nloads\n(B" + len(code).to_bytes(4, "little") + code + b"tR"
    return b"ctypes\nFunctionType\n(" + loaded + b"cbuiltins\n__dict__\n" + b"tR)R"


def _nested(load: str) -> bytes:
    inner = b"\x80\x04" + call("os.system", TOUCH) + b"."
    module, _, last = load.rpartition(".")
    head = f"c{module}\n{last}\n(".encode()
    return head + b"B" + len(inner).to_bytes(4, "little") + inner + b"tR"


# Each leaves its mark where it is loaded with pickle.loads; the second value says by which watch.
REAL: dict[str, bytes] = {
    "os.system": call("os.system", TOUCH),
    "posix.system": call("posix.system", TOUCH),
    "os.popen": call("os.popen", TOUCH) ,
    "os.mkdir": call("os.mkdir", CANARY),
    "subprocess.Popen": b"csubprocess\nPopen\n((" + text("touch") + text(CANARY) + b"ltR",
    "subprocess.getoutput": call("subprocess.getoutput", TOUCH),
    "subprocess.check_output": b"csubprocess\ncheck_output\n((" + text("touch") + text(CANARY)
    + b"ltR",
    "eval": call("builtins.eval", MAKE),
    "exec": call("builtins.exec", MAKE),
    "eval of protocol 2": call("__builtin__.eval", MAKE),
    "open": call("builtins.open", CANARY, "w"),
    "io.open": call("io.open", CANARY, "w"),
    "codecs.open": call("codecs.open", CANARY, "w"),
    "getattr": attribute(b"cos\nsystem\n", "__call__") + b"(" + text(TOUCH) + b"tR",
    "getattr of a module": attribute(call("builtins.__import__", "os"), "system")
    + b"(" + text(TOUCH) + b"tR",
    "importlib": attribute(call("importlib.import_module", "os"), "system")
    + b"(" + text(TOUCH) + b"tR",
    "an import alone": f"c{MODULE}\nanything\n".encode(),
    "an import by name": call("importlib.import_module", MODULE),
    "runpy": call("runpy.run_module", MODULE),
    "a path that writes": attribute(call("pathlib.Path", CANARY), "write_text")
    + b"(" + text("x") + b"tR",
    "a path that touches": attribute(call("pathlib.Path", CANARY), "touch") + b")R",
    "a socket": b"csocket\ncreate_connection\n((" + text("127.0.0.1") + b"K\x01ttR",
    "a name that is looked up": call("socket.gethostbyname", "localhost"),
    "ctypes": b"cctypes\nCDLL\n(NtR",
    "a code object": _marshalled(),
    "a partial": b"cfunctools\npartial\n(cos\nsystem\n" + text(TOUCH) + b"tR)R",
    "a methodcaller": b"coperator\nmethodcaller\n(" + text("system") + text(TOUCH) + b"tR("
    + call("builtins.__import__", "os") + b"tR",
    "an attrgetter": b"coperator\nattrgetter\n(" + text("system") + b"tR("
    + call("builtins.__import__", "os") + b"tR(" + text(TOUCH) + b"tR",
    "a map": b"cbuiltins\nlist\n(cbuiltins\nmap\n(cos\nsystem\n(" + text(TOUCH) + b"ltRtR",
    "timeit": b"ctimeit\ntimeit\n(" + text(MAKE) + text("pass")
    + b"ctime\nperf_counter\nK\x01tR",
    "cProfile": call("cProfile.run", MAKE),
    "an interpreter": attribute(call("code.InteractiveInterpreter"), "runsource")
    + b"(" + text(MAKE) + b"tR",
    "a dotted name": text("os") + text("path.os.system") + b"\x93(" + text(TOUCH) + b"tR",
    "through another's import": text("shutil") + text("os.system") + b"\x93(" + text(TOUCH)
    + b"tR",
    "names off the stack": stacked("os.system", TOUCH),
    "names from the memo": text("os") + b"q\x000" + text("system") + b"q\x010h\x00h\x01\x93("
    + text(TOUCH) + b"tR",
    "INST": b"(" + text(TOUCH) + b"ios\nsystem\n",
    "OBJ": b"(cos\nsystem\n" + text(TOUCH) + b"o",
    "NEWOBJ and BUILD": b"csubprocess\nPopen\n((" + text("touch") + text(CANARY) + b"ltR}b",
    "BUILD of a dict": b"ctypes\nSimpleNamespace\n)R}" + text("x") + call("os.system", TOUCH)
    + b"sb",
    "behind rows that look sound": b"](}(" + text("parent") + b"K\x01" + text("child") + b"K\x02u"
    + call("os.system", TOUCH) + b"e",
    "as a key": b"}" + call("os.system", TOUCH) + b"K\x01s",
    "twice the end": call("os.system", TOUCH) + b"0N",
    "an extension registered": b"ccopyreg\nadd_extension\n(" + text("os") + text("system")
    + b"K\x07tR0\x82\x07(" + text(TOUCH) + b"tR",
    "pickle in a pickle": _nested("pickle.loads"),
    "_pickle in a pickle": _nested("_pickle.loads"),
    "dill": _nested("dill.loads"),
    "cloudpickle": _nested("cloudpickle.loads"),
    "joblib's cloudpickle": _nested("joblib.externals.cloudpickle.loads"),
    "numpy's test helper": b"cnumpy.testing._private.utils\nrunstring\n(" + text(MAKE) + b"}tR",
}  # fmt: skip
# These want a file or the network beside them, so only their names are looked up by a reader.
NAMED = {
    name: call(name, "x")
    for name in (
        "torch.load", "torch.hub.load", "torch.jit.load", "numpy.load", "joblib.load",
        "pandas.read_pickle", "gensim.utils.unpickle", "torch.storage._load_from_bytes",
        "webbrowser.open", "urllib.request.urlopen", "pty.spawn", "shutil.rmtree",
        "torch.utils.collect_env.run", "safetensors.torch.load_file", "builtins.breakpoint",
        "pickle.Unpickler", "zipimport.zipimporter", "multiprocessing.Process", "os.fork",
        "os.execv", "os.kill", "os.putenv", "sys.setrecursionlimit", "signal.alarm",
        "builtins.__build_class__", "types.CodeType", "weakref.finalize", "atexit.register",
        "threading.Timer", "tempfile.mkstemp", "logging.FileHandler", "smtplib.SMTP",
    )
}  # fmt: skip


def bare(body: bytes) -> bytes:
    return b"\x80\x04" + body + b"."


def archive(body: bytes, pickled: str = "a/data.pkl") -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as made:
        made.writestr(pickled, b"\x80\x02" + body + b".")
        made.writestr("a/byteorder", "little")
        made.writestr("a/data/0", bytes(24))
    return sink.getvalue()


def legacy(body: bytes) -> bytes:
    head = b"".join(pickle.dumps(one, 2) for one in (0x1950A86A20F9469CFC6C, 1001, {}))
    return head + b"\x80\x02" + body + b"."


def objects(body: bytes) -> bytes:
    """An npy of Python objects, pickled by the payload."""
    sink = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        sink, {"descr": "|O", "fortran_order": False, "shape": (7, 4)}
    )
    return sink.getvalue() + bare(body)


def npz(body: bytes) -> bytes:
    sink, table = io.BytesIO(), io.BytesIO()
    np.save(table, np.eye(7, 4) / 2)
    with zipfile.ZipFile(sink, "w") as made:
        made.writestr("vectors.npy", table.getvalue())
        made.writestr("names.npy", objects(body))
        made.writestr(f"../{CANARY}.npy", objects(body))
    return sink.getvalue()


WRAPPERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "pickle": (".pkl", bare),
    "zip": (".pt", archive),
    "legacy": (".pth", legacy),
    "npy": (".npy", objects),
    "npz": (".npz", npz),
}


def tars() -> dict[str, bytes]:
    """Members that are links, devices and pipes, and names that lead out of the archive."""
    made = {}
    kinds = {
        "a symlink": tarfile.SYMTYPE, "a hard link": tarfile.LNKTYPE, "a device": tarfile.CHRTYPE,
        "a disk": tarfile.BLKTYPE, "a pipe": tarfile.FIFOTYPE, "a folder": tarfile.DIRTYPE,
    }  # fmt: skip
    for name, kind in kinds.items():
        info = tarfile.TarInfo("nodes.dmp")
        info.type, info.linkname, info.devmajor, info.devminor = kind, f"../{SECRET}", 1, 3
        made[name] = _tar(info, b"")
    for name in (f"../{CANARY}", f"/{CANARY}", f"taxdump/../../{CANARY}", "..\\nodes.dmp"):
        made[f"a member {name}"] = _tar(tarfile.TarInfo(name), b"1\t|\t1\t|\n")
    link = tarfile.TarInfo("d")
    link.type, link.linkname = tarfile.SYMTYPE, ".."
    made["a file behind a link"] = _tar(link, b"", tarfile.TarInfo(f"d/{CANARY}"))
    return made


def _tar(info: tarfile.TarInfo, data: bytes, *more: tarfile.TarInfo) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w:gz") as packed:
        info.size = len(data)
        for one in (info, *more):
            packed.addfile(one, io.BytesIO(data))
    return sink.getvalue()


def zips() -> dict[str, bytes]:
    """The same for zip archives."""
    made = {}
    for name in (f"../{CANARY}", f"/{CANARY}", f"a/../../{CANARY}", f"..\\{CANARY}", "C:nodes.dmp"):
        sink = io.BytesIO()
        with zipfile.ZipFile(sink, "w") as packed:
            packed.writestr(name, "1\t|\t1\t|\n")
        made[f"a member {name}"] = sink.getvalue()
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as packed:
        link = zipfile.ZipInfo("nodes.dmp")
        link.external_attr = 0o120777 << 16
        packed.writestr(link, f"../{SECRET}")
    made["a symlink"] = sink.getvalue()
    return made


def hdf5(folder: Path) -> dict[str, bytes]:
    """Tables that lie in other files, by every way that HDF5 has."""
    import h5py

    with h5py.File(folder / SECRET, "w") as secret:
        secret["embeddings"] = np.eye(7, 4)
    layout = h5py.VirtualLayout((7, 4), "f8")
    layout[:] = h5py.VirtualSource(SECRET, "embeddings", (7, 4))

    def external(file: object) -> None:
        file["embeddings"] = h5py.ExternalLink(SECRET, "/embeddings")  # type: ignore[index]

    def storage(file: h5py.File) -> None:
        file.create_dataset("embeddings", (7, 4), "f8", external=[(SECRET, 0, 224)])

    def virtual(file: h5py.File) -> None:
        file.create_virtual_dataset("embeddings", layout)

    def cycle(file: h5py.File) -> None:
        file["a/b"] = h5py.SoftLink("/a")
        file["a/c"] = file["a"]

    made = {}
    for make in (external, storage, virtual, cycle):
        with h5py.File(path := folder / "made.h5", "w") as file:
            make(file)
        made[make.__name__] = path.read_bytes()
        path.unlink()
    return made
