"""Runs commands of the documents as a reader would, with the reference relay in the place of every address."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from shown import ROOT, Shown, pages, shown

from conformance.relay import DEFAULT_KEY, DEFAULT_MODEL

MODELS = {"embeddings": "text-embedding-3-mock", "speech": "mock-tts", "completions": "mock-instruct"}
"""Role -> the reference relay's model of that kind."""
CASE = "chat/tool-one"
"""A case that the relay fails."""
WORDS = {
    "URL": "{relay}",
    "NAME": DEFAULT_MODEL,
    "ID": "chat.usage.adds-up",
    "RULE-ID": "chat.usage.adds-up",
    "CASE": CASE,
    "chat/generated-055": CASE,
}
"""What stands for something that the reader has."""
MODEL_OPTIONS = ("--model", "--relay-model")
FINE = {"clients": {0, 1, 6}}
"""Command -> exit codes that are no mistake of the page, where more than 0 and 1 (a finding) are."""
FOREVER = ("serve", "replay")
URLS = re.compile(r"https?://[^\s\"'/]+(?:/[^\s\"']*)?")
LONGEST = 180


class Kitchen:
    """A reader's folder, filled with what a command takes for granted just before it is run."""

    def __init__(self, folder: Path, relay: str, recorded: Path) -> None:
        self.folder = folder
        self.relay = relay
        self.recorded = recorded
        self.served: dict[str, tuple[subprocess.Popen[str], str]] = {}
        """Port that the page names -> the server that it has started, and where it really is."""
        self.environment = {**os.environ, "NO_COLOR": "1", "RELAY_API_KEY": DEFAULT_KEY, "RELAY_URL": relay}
        self.last_vet = ["relay-conformance", "vet", relay, "--model", DEFAULT_MODEL]

    def close(self) -> None:
        """Stops what was started."""
        for port in list(self.served):
            self._stop(port)

    def do(self, item: Shown) -> str:
        """Runs one command, or writes one file; returns what went wrong."""
        if item.file:
            self._write(item.file, item.text)
            return ""
        if item.program == "export":
            self._export(item.words[1:])
            return ""
        words = self.words(item)
        self._provide(words)
        self._clear(words)
        try:
            return self._serve(words) if words[1] in FOREVER else self._run(words)
        except subprocess.TimeoutExpired as late:
            return f"did not end within {LONGEST} s\n{late.stdout}"

    def words(self, item: Shown) -> list[str]:
        """The command as it is run: addresses, models and names are those of the reference relay."""
        text = item.text[item.text.index(item.program) :].removesuffix("&")
        words = shlex.split(os.path.expandvars(text.replace("$RELAY_URL", self.relay)))
        if item.program == "docker":
            words = words[len(words) - words[::-1].index("relay-conformance") - 1 :]
        if words[1:3] == ["vet", "…"]:
            words[:3] = self.last_vet
        words = [URLS.sub(self._url, WORDS.get(word, word).format(relay=self.relay)) for word in words]
        for place, word in enumerate(words[:-1]):
            if word in MODEL_OPTIONS:
                words[place + 1] = _models(words[place + 1])
        if words[1] == "vet" and "--out" not in words:
            self.last_vet = words[:5]
        return _apart(words)

    def _url(self, found: re.Match[str]) -> str:
        port = re.search(r":(\d+)", found[0])
        return self.served[port[1]][1] if port and port[1] in self.served else self.relay

    def _export(self, assignments: list[str]) -> None:
        for name, _, value in (each.partition("=") for each in assignments):
            self.environment[name] = DEFAULT_KEY if name.endswith("KEY") else URLS.sub(self._url, value)

    def _provide(self, words: list[str]) -> None:
        """Puts there what the command reads and nothing before has made."""
        made = {
            words[place + 1] for place, word in enumerate(words[:-1]) if word in {"-o", "--out", "--json", "--html"}
        }
        for word in words[2:]:
            path = self.folder / word
            if path.exists() or (word in made and not {"--resume", "--check", "--update"} & set(words)):
                continue
            if re.fullmatch(r"reports(/[\w.-]+)?", word) and word not in made:
                shutil.copytree(self.recorded, path if "/" in word else path / "FOLDER")
            elif word == "baseline.json":
                self._run(["relay-conformance", "baseline", str(self.recorded), "-o", word])
            elif word.startswith("profiles/"):
                self._provide(["relay-conformance", "derive", "page.txt"])
                self._run(["relay-conformance", "derive", "page.txt", "--name", path.name, "--out", word])
            elif word.endswith(".txt"):
                shutil.copy(ROOT / "docs/howto/example-page.txt", path)
            elif word.endswith(".toml"):
                self._write(word, file_shown(word))
        if "--resume" in words:
            self._begin(words, self.folder / words[words.index("--out") + 1])

    def _clear(self, words: list[str]) -> None:
        """A page may name the same folder for a run of today and for one of tomorrow."""
        if "--out" in words and words[1] in {"vet", "demo"} and "--resume" not in words:
            shutil.rmtree(self.folder / words[words.index("--out") + 1], ignore_errors=True)

    def _begin(self, words: list[str], run: Path) -> None:
        """Leaves what an interrupted run of the command leaves, or an interrupted comparison."""
        if words[1] == "compare":
            self._run([word for word in words if word != "--resume"])
        elif not run.exists():
            shutil.copytree(self.recorded, run)
        for ledger in run.rglob("ledger.jsonl"):
            lines = ledger.read_bytes().splitlines(keepends=True)
            ledger.write_bytes(b"".join(lines[: len(lines) // 2]))

    def _write(self, name: str, text: str) -> None:
        """A file of a page, with the relay for every provider, and with the files that it names."""
        text = re.sub(r'(?m)^(base_url\s*=\s*)"([^"]*)"', lambda found: f'{found[1]}"{self.relay}"', text)
        text = re.sub(r'(?m)^(model\s*=\s*)"[^"]*"', rf'\1"{DEFAULT_MODEL}"', text)
        text = re.sub(r"(?m)^models\s*=.*$", "", text)
        text = re.sub(r"(?m)^(no_key|rate)\s*=.*$", "", text)  # a rate that a provider asks for is a wait here
        for variable in re.findall(r'(?m)"([A-Z][A-Z0-9_]+)"', text):
            self.environment[variable] = DEFAULT_KEY
        (self.folder / name).write_text(text, encoding="utf-8")
        for other in re.findall(r'(?m)^waivers\s*=\s*"([^"]+)"', text):
            self._provide(["", "", other])

    def _run(self, words: list[str]) -> str:
        done = subprocess.run(
            [sys.executable, "-m", _module(words[0]), *words[1:]],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=LONGEST,
        )
        fine = FINE.get(words[1], {0, 1})
        return (
            ""
            if done.returncode in fine
            else f"{shlex.join(words)}\nended with {done.returncode}\n{done.stdout[-3000:]}"
        )

    def _serve(self, words: list[str]) -> str:
        """Starts a server on a free port and waits for its address."""
        port = words[words.index("--port") + 1] if "--port" in words else ""
        self._stop(port)
        if port:
            words[words.index("--port") + 1] = "0"
        server = subprocess.Popen(
            [sys.executable, "-m", _module(words[0]), *words[1:]],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        line = server.stdout.readline() if server.stdout else ""
        found = re.search(r"http://[\w.]+:(\d+)", line)
        self.served[port] = (server, f"http://127.0.0.1:{found[1]}" if found else "")
        if found:
            return ""
        self._stop(port)
        return f"{shlex.join(words)}\nsaid no address: {line}"

    def _stop(self, port: str) -> None:
        server = self.served.pop(port, (None, ""))[0]
        if server is None:
            return
        server.send_signal(signal.SIGINT)
        try:
            server.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.communicate()


def _module(program: str) -> str:
    return {"relay-conformance": "conformance", "pytest": "pytest"}[program]


def _models(value: str) -> str:
    """`a,embeddings=b` with the models of the reference relay."""
    _, *others = value.split(",")
    roles = [each.partition("=")[0] for each in others]
    return ",".join([DEFAULT_MODEL, *(f"{role}={MODELS.get(role, DEFAULT_MODEL)}" for role in roles)])


def _apart(words: list[str]) -> list[str]:
    """FOLDER twice in a command means two folders, and that of a comparison is none of a run."""
    if words[1] == "compare" and "--resume" in words:
        return [word.replace("reports/FOLDER", "reports/COMPARED") for word in words]
    seen: list[str] = []
    for word in words:
        seen.append(f"{word}-{seen.count(word) + 1}" if word == "reports/FOLDER" and word in seen else word)
    return seen


def file_shown(name: str) -> str:
    """The file of this name as an example or a page shows it."""
    example = ROOT / "docs/examples" / name
    if example.exists():
        return example.read_text(encoding="utf-8")
    kind = "waivers.toml" if "waivers" in name else name
    return next(item.text for page in pages() for item in shown(page) if item.file == kind)
