"""The kernel's life and its cells."""

import json
import os
import signal
import subprocess
import sys
import time

import nbformat
import pytest
from conftest import PATIENCE, outputs, result_of, text_of
from nbclient import NotebookClient


def test_it_is_installed_with_a_name_and_an_icon(prefix):
    folder = prefix / "share/jupyter/kernels/greenhouse"
    spec = json.loads((folder / "kernel.json").read_text())
    assert spec["display_name"] == "Greenhouse (Rust)"
    assert (folder / "logo-svg.svg").read_text().startswith("<svg")


def test_kernel_info(kernel):
    info = kernel.ask("kernel_info_request", {})
    assert info["status"] == "ok"
    assert info["banner"] == "Greenhouse (Rust): Greenhouse"
    assert "kernel subshells" not in info.get("supported_features", [])


def test_every_request_is_bracketed_by_busy_and_idle(kernel):
    requests = [
        ("kernel_info_request", {}, "shell"),
        ("complete_request", {"code": "ge", "cursor_pos": 2}, "shell"),
        ("inspect_request", {"code": "get", "cursor_pos": 2}, "shell"),
        ("is_complete_request", {"code": "get"}, "shell"),
        ("history_request", {}, "shell"),
        ("comm_info_request", {}, "shell"),
        ("comm_open", {"comm_id": "x", "target_name": "transports", "data": {}}, "shell"),
        ("comm_msg", {"comm_id": "nobody", "data": {}}, "shell"),
        ("comm_close", {"comm_id": "x"}, "shell"),
        ("interrupt_request", {}, "control"),
        ("kernel_info_request", {}, "control"),
        ("execute_request", {"code": ""}, "shell"),
        ("no_such_request", {}, "shell"),
    ]
    for kind, content, channel in requests:
        request = kernel.request(kind, content, channel)
        states = [c["execution_state"] for c in outputs(kernel.idle(request), "status")]
        assert states == ["busy", "idle"], kind


def test_all_messages_are_of_one_session(kernel):
    _, published = kernel.run("report")
    assert len({m["header"]["session"] for m in published}) == 1


def test_the_kernels_own_commands(kernel):
    reply, published = kernel.run("models")
    assert reply["status"] == "ok" and reply["execution_count"] == 1
    assert result_of(published).startswith("1  Greenhouse  revision ")

    _, published = kernel.run("get Greenhouse.beds[1].plant")
    assert json.loads(result_of(published)) == "basil"

    _, published = kernel.run('set Greenhouse.name = "south"\nset 1.wanted = 25')
    assert [c["data"]["text/plain"] for c in outputs(published, "execute_result")] == [
        'Greenhouse.name = "south"',
        "1.wanted = 25",
    ]
    _, published = kernel.run("get Greenhouse.wanted")
    assert result_of(published) == "25"

    _, published = kernel.run("help")
    assert "watch PATH [SECONDS]" in text_of(published)


def test_a_refused_edit_shows_path_and_reason(kernel):
    reply, published = kernel.run("set Greenhouse.wanted = 99")
    assert reply["status"] == "error" and reply["ename"] == "Rejected"
    assert reply["evalue"] == "wanted: 99 is not in 5..=35"
    assert outputs(published, "error")[0]["evalue"] == reply["evalue"]

    reply, _ = kernel.run("set Greenhouse.beds[0].moisture = 2")
    assert reply["evalue"].startswith("beds[0].moisture: ")
    reply, _ = kernel.run("get Greenhouse.wanted\nset Greenhouse.steps = 0")
    assert reply["evalue"].startswith("steps: ")


@pytest.mark.parametrize(
    ("code", "name", "reason"),
    [
        ("dance", "UnknownCommand", "there is no command `dance`"),
        ("get Glasshouse", "PathError", "there is no model `Glasshouse`, only: Greenhouse (1)"),
        ("get Greenhouse.beds[7].plant", "PathError", "there is no beds[7]"),
        ("get Greenhouse..x", "PathError", "is not written as"),
        ("set Greenhouse.name", "Usage", "set PATH = VALUE"),
        ("watch Greenhouse.name 1", "TypeError", "only numbers can be watched"),
        ("watch Greenhouse.celsius -1", "Usage", "from 0 to"),
        ("show Greenhouse.name", "PathError", "is not a model"),
        ("harvest 0", "NothingToHarvest", "there is no bed"),
        ("harvest many", "Error", "invalid digit"),
    ],
)
def test_errors(kernel, code, name, reason):
    reply, published = kernel.run(code)
    assert reply["status"] == "error" and reply["ename"] == name
    assert reason in reply["evalue"]
    assert [c["ename"] for c in outputs(published, "error")] == [name]


def test_output_of_the_programs_own_cells(kernel):
    _, published = kernel.run("report")
    [shown] = outputs(published, "display_data")
    assert shown["data"]["text/markdown"].startswith("It is **")
    assert shown["data"]["text/plain"]

    _, published = kernel.run("harvest 5")
    assert text_of(published) == "harvested 5 beds\n"
    [bar] = outputs(published, "display_data")
    updates = outputs(published, "update_display_data")
    assert updates and {u["transient"]["display_id"] for u in updates} == {bar["transient"]["display_id"]}
    assert updates[-1]["data"]["text/plain"] == "harvest: 5/5"


def test_completion_and_inspection(kernel):
    def complete(code):
        answer = kernel.ask("complete_request", {"code": code, "cursor_pos": len(code)})
        start, end = answer["cursor_start"], answer["cursor_end"]
        return [code[:start] + match + code[end:] for match in answer["matches"]]

    assert complete("wa") == ["watch"]
    assert complete("get Gr") == ["get Greenhouse"]
    assert complete("get Greenhouse.ste") == ["get Greenhouse.steps"]
    assert complete("get Greenhouse.beds[") == ["get Greenhouse.beds[0]", "get Greenhouse.beds[1]"]
    assert complete("models\nget Greenhouse.beds[0].p") == ["models\nget Greenhouse.beds[0].plant"]
    assert complete("é get Greenhouse.na") == ["é get Greenhouse.name"]

    code = "get Greenhouse.wanted"
    found = kernel.ask("inspect_request", {"code": code, "cursor_pos": 8, "detail_level": 0})
    first, second, *_ = found["data"]["text/plain"].splitlines()
    assert first.startswith("Greenhouse.wanted: ") and second.startswith("of Greenhouse (1), revision ")
    assert not kernel.ask("inspect_request", {"code": "nonsense", "cursor_pos": 3})["found"]


def test_cells_run_one_after_the_other_and_a_failure_ends_the_row(kernel):
    codes = ["harvest 3", "harvest 0", "report"]
    requests = [kernel.request("execute_request", {"code": code}) for code in codes]
    assert [kernel.answer(request)["status"] for request in requests] == ["ok", "error", "aborted"]
    reply, _ = kernel.run("report")
    assert reply["status"] == "ok"

    requests = [
        kernel.request("execute_request", {"code": code, "stop_on_error": False}) for code in codes
    ]
    assert [kernel.answer(request)["status"] for request in requests] == ["ok", "error", "ok"]


def test_an_interrupt_ends_the_cell_alone(kernel):
    request = kernel.request("execute_request", {"code": "harvest 10000"})
    kernel.published(lambda m: m["msg_type"] == "update_display_data")
    # Everything else goes on while a cell runs.
    assert kernel.ask("complete_request", {"code": "he", "cursor_pos": 2})["matches"] == ["help"]
    kernel.manager.interrupt_kernel()
    answer = kernel.answer(request)
    assert (answer["status"], answer["ename"]) == ("error", "Interrupted")
    reply, _ = kernel.run("report")
    assert reply["status"] == "ok"


def test_restart_begins_anew(kernel):
    kernel.run("set Greenhouse.name = south")
    kernel.restart()
    reply, published = kernel.run("get Greenhouse.name")
    assert result_of(published) == '"north"' and reply["execution_count"] == 1


def test_shutdown_is_answered_and_ends_the_process(kernel):
    process = kernel.manager.provisioner.process
    answer = kernel.ask("shutdown_request", {"restart": False}, "control")
    assert answer == {"status": "ok", "restart": False}
    assert process.wait(timeout=PATIENCE) == 0


def test_it_ends_when_its_parent_is_killed(specs, prefix):
    script = (
        "import sys\n"
        "from jupyter_client.kernelspec import KernelSpecManager\n"
        "from jupyter_client.manager import KernelManager\n"
        "specs = KernelSpecManager()\n"
        "specs.kernel_dirs = [sys.argv[1]]\n"
        "manager = KernelManager(kernel_name='greenhouse', kernel_spec_manager=specs)\n"
        "manager.start_kernel()\n"
        "client = manager.client()\n"
        "client.start_channels()\n"
        "client.wait_for_ready(timeout=30)\n"
        "print(manager.provisioner.process.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    kernels = str(prefix / "share/jupyter/kernels")
    parent = subprocess.Popen(
        [sys.executable, "-c", script, kernels], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    kernel = int(parent.stdout.readline())
    parent.kill()
    parent.wait(timeout=PATIENCE)
    deadline = time.monotonic() + PATIENCE
    try:
        while is_running(kernel):
            assert time.monotonic() < deadline, "the kernel outlives its parent"
            time.sleep(0.1)
    finally:
        if is_running(kernel):
            os.kill(kernel, signal.SIGKILL)


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_many_prints_stay_below_the_limit(kernel):
    _, published = kernel.run("\n".join(["help"] * 3000))
    assert text_of(published).count("lists the models") == 3000
    assert len(published) < 300, "a Jupyter server would drop some"


def test_a_notebook_runs_headless(specs):
    cells = ["models", "show", "get Greenhouse.wanted", "set Greenhouse.wanted = 30", "watch Greenhouse.steps 0.5", "harvest 2"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in cells])
    client = NotebookClient(notebook, timeout=PATIENCE, kernel_name="greenhouse")
    client.km = client.create_kernel_manager()
    client.km.kernel_spec_manager = specs
    client.execute()
    outputs = [cell.outputs for cell in notebook.cells]
    widget = "application/vnd.jupyter.widget-view+json"
    assert widget in outputs[1][0]["data"] and "text/plain" in outputs[1][0]["data"]
    assert outputs[3][0]["data"]["text/plain"] == "Greenhouse.wanted = 30"
    assert "changes, from" in outputs[4][1]["text"]
    # The plot is in the notebook's own state, too: it shows without the kernel.
    states = notebook.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    plots = [s["state"] for s in states.values() if "points" in s["state"]]
    assert len(plots) == 1 and plots[0]["done"] and len(plots[0]["points"]) > 2
