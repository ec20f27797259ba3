"""What the replicas behind nginx are made of fits together; `python -m tests.replicas` runs it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
NGINX = SERVICES["nginx"]
REPLICAS = {name: each for name, each in SERVICES.items() if name != "nginx"}
TEMPLATE = ROOT / ".nginx" / "app.conf.template"


def test_nginx_is_given_all_that_its_template_asks_for():
    (mount,) = NGINX["volumes"]
    source, target, _ = mount.split(":")
    assert (ROOT / source) == TEMPLATE
    assert target == "/etc/nginx/templates/default.conf.template"  # which its container fills in
    code = re.sub(r"#.*", "", TEMPLATE.read_text())
    assert {*re.findall(r"\$\{(\w+)\}", code)} == {*NGINX["environment"]}


def test_it_knows_every_replica_by_its_address_and_port():
    port = re.search(r"EXPOSE (\d+)", (ROOT / "Dockerfile").read_text())[1]
    addresses = {f"{each['networks']['replicas']['ipv4_address']}:{port}" for each in REPLICAS.values()}
    assert len(addresses) == len(REPLICAS) == 2
    assert addresses == {NGINX["environment"][name] for name in ("FIRST", "SECOND")}


def test_all_start_again_and_report_their_health():
    assert {each["restart"] for each in SERVICES.values()} == {"unless-stopped"}
    assert "/_stcore/health" in NGINX["healthcheck"]["test"][-1]
    assert "HEALTHCHECK" in (ROOT / "Dockerfile").read_text()


def test_replicas_share_their_runs_in_a_folder_that_is_theirs():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert any("install --directory --owner=explorer runs" in line for line in lines)
    assert [each["volumes"] for each in REPLICAS.values()] == [["runs:/app/runs"]] * 2


@pytest.mark.skipif(shutil.which("nginx") is None, reason="no nginx was found")
def test_nginx_takes_the_configuration(tmp_path):
    text = TEMPLATE.read_text()
    for name, value in NGINX["environment"].items():
        text = text.replace(f"${{{name}}}", value)
    places = "".join(f"{each}_temp_path {tmp_path}/{each};\n" for each in ("fastcgi", "uwsgi", "scgi", "proxy"))
    frame = f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{\nclient_body_temp_path {tmp_path}/body;\n{places}{text}\n}}\n"
    (tmp_path / "nginx.conf").write_text(frame)
    told = subprocess.run(
        ["nginx", "-t", "-e", tmp_path / "error.log", "-c", tmp_path / "nginx.conf"], capture_output=True, text=True
    )
    assert "test is successful" in told.stderr, told.stderr
