"""Find Terraform and the mirror of its providers on this machine, or fetch the pinned release of Terraform.

Like `harness/sawhorse/toolchain/setup.py` it needs nothing but the standard library.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import platform
import re
import shutil
import ssl
import subprocess
import tempfile
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

from sawhorse.errors import BadConfiguration, MissingTool
from sawhorse.files import write_atomically
from sawhorse.toolchain import shell_variables
from sawhorse.toolchain.machine import Machine, say
from sawhorse.trusted_files import make_own_directory, own_private

TERRAFORM_VERSION = "1.11.4"
TERRAFORM_MINIMUM = (1, 11)
# Where a shell's own programs lie below the local AWS's directory.
WRAPPERS = "shells"
# SHA-256 of the release archives, from terraform_1.11.4_SHA256SUMS at HashiCorp's release site.
TERRAFORM_SHA256 = {
    "linux_amd64": "1ce994251c00281d6845f0f268637ba50c0005657eb3cf096b92f753b42ef4dc",
    "linux_arm64": "a43d1d0da9b9bab214a8305a39db0e40869572594ccf50c416a7756499143633",
    "darwin_amd64": "a56d5002b9f7647291faccc3dd1a70350e60fb61e4c45037629508b8fdc2575b",
    "darwin_arm64": "867e0808fa971217043e25b7a792b10720c79b1546f8a68479b74f138be73e18",
}
# Not where a comment has it.
DEVELOPMENT_OVERRIDES = re.compile(r'^[^#/\n]*\bdev_overrides"?\s*[:={]', re.MULTILINE)
PROVIDER_SOURCE = "registry.terraform.io"
CLI_CONFIGURATION = """\
# Written by the harness: the AWS provider comes from the mirror on this machine, any other one from the registry.
provider_installation {{
  filesystem_mirror {{
    path    = {mirror}
    include = ["{source}/*/*"]
  }}
  direct {{
    exclude = ["{source}/hashicorp/aws"]
  }}
}}
"""


def ensure_terraform(project: Path, machine: Machine | None = None) -> Path:
    """Return a Terraform that is new enough: from PATH, else a pinned release with its checksum checked."""
    machine = machine or Machine.this()
    on_path = terraform_on_path(machine)
    if on_path and (terraform_version(on_path) or (0, 0)) >= TERRAFORM_MINIMUM:
        return on_path
    fetched = project / f".sawhorse/tools/terraform-{TERRAFORM_VERSION}/terraform"
    own_private(project, "tools", fetched.parent.name, depth=1)
    if not fetched.is_file():
        fetch_terraform(fetched, machine)
    return fetched


def terraform_on_path(machine: Machine) -> Path | None:
    """Find Terraform itself on PATH, behind what `sawhorse local env ROOT` puts before it."""
    found = shutil.which("terraform", path=without_wrappers(machine.environ.get("PATH", os.defpath)))
    return Path(found) if found else None


def without_wrappers(path: str) -> str:
    """Return a PATH without what `sawhorse local env ROOT` puts before it."""
    own = f"/.sawhorse/local/{WRAPPERS}/"
    return os.pathsep.join(place for place in path.split(os.pathsep) if own not in place)


def terraform_version(binary: Path) -> tuple[int, int] | None:
    """Ask Terraform for its version; None when it does not run, or is so old that it cannot say it in JSON."""
    try:
        # Options of a shell's TF_CLI_ARGS are none of this command's, and it ends with an error where providers that
        # are to be attached to are not what it expects.
        variables, command = shell_variables.filtered(local=True), [str(binary), "version", "-json"]
        result = subprocess.run(command, capture_output=True, text=True, env=variables, check=False)
        version = json.loads(result.stdout)["terraform_version"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    found = re.match(r"(\d+)\.(\d+)", str(version))
    return (int(found[1]), int(found[2])) if found else None


def terraform_platform() -> str:
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine().lower(), platform.machine().lower())
    return f"{platform.system().lower()}_{machine}"


def fetch_terraform(target: Path, machine: Machine) -> None:
    """Download the pinned release, check it against its known SHA-256, and put the program in place."""
    name = terraform_platform()
    if name not in TERRAFORM_SHA256:
        raise MissingTool(
            f"Terraform {TERRAFORM_VERSION} is not pinned for {name}; install Terraform >= 1.11 and put it on PATH."
        )
    url = f"{machine.releases}/{TERRAFORM_VERSION}/terraform_{TERRAFORM_VERSION}_{name}.zip"
    say(f"Fetching Terraform {TERRAFORM_VERSION} for {name}.")
    try:
        with urllib.request.urlopen(url, timeout=60, context=certificates(machine)) as response:  # noqa: S310 # pinned
            archive = response.read()
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        raise MissingTool(
            f"Terraform is not on PATH and could not be fetched from {url} ({error}); "
            "install Terraform >= 1.11 and put it on PATH."
        ) from error
    found = hashlib.sha256(archive).hexdigest()
    if found != TERRAFORM_SHA256[name]:
        raise MissingTool(
            f"What {url} gave has SHA-256 {found}, not {TERRAFORM_SHA256[name]}; nothing was installed. "
            "Install Terraform >= 1.11 by another way and put it on PATH."
        )
    make_own_directory(target.parent)
    with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
        packed = Path(temporary) / "terraform.zip"
        packed.write_bytes(archive)
        with zipfile.ZipFile(packed) as opened:
            program = Path(opened.extract("terraform", temporary))
        program.chmod(0o700)
        program.replace(target)


def certificates(machine: Machine) -> ssl.SSLContext:
    """Trust what this machine trusts, also behind a company's proxy."""
    bundle = machine.environ.get("SSL_CERT_FILE") or machine.environ.get("CURL_CA_BUNDLE")
    return ssl.create_default_context(cafile=bundle if bundle and Path(bundle).is_file() else None)


def provider_mirror(machine: Machine | None = None) -> Path | None:
    """Find a directory mirror of Terraform providers, or None: then the registry is asked.

    Looks at TF_PROVIDER_MIRROR, at Terraform's implied mirror directories
    (https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories),
    and one level below /opt.
    """
    machine = machine or Machine.this()
    named = machine.environ.get("TF_PROVIDER_MIRROR")
    if named:
        if not (Path(named) / PROVIDER_SOURCE).is_dir():
            raise MissingTool(
                f"TF_PROVIDER_MIRROR is {named}, which holds no {PROVIDER_SOURCE}; name the directory above it, "
                "or unset the variable to use the registry."
            )
        return Path(named)
    implied = [
        machine.home / ".terraform.d/plugins",
        machine.home / ".local/share/terraform/plugins",
        machine.home / "Library/Application Support/io.terraform/plugins",
        Path("/usr/local/share/terraform/plugins"),
        Path("/usr/share/terraform/plugins"),
    ]
    below_opt = sorted(machine.opt.iterdir()) if machine.opt.is_dir() else []
    return next((place for place in [*implied, *below_opt] if has_providers(place)), None)


def has_providers(directory: Path) -> bool:
    """Say whether a directory has the provider's; one that this user may not enter has none."""
    try:
        return (directory / PROVIDER_SOURCE).is_dir()
    except PermissionError:
        return False


def refuse_development_overrides(machine: Machine | None = None) -> None:
    """Raise when the user's own CLI configuration puts another program in a locked provider's place.

    Where that is looked for: https://developer.hashicorp.com/terraform/cli/config/config-file#locations
    """
    machine = machine or Machine.this()
    named = machine.environ.get("TF_CLI_CONFIG_FILE") or machine.environ.get("TERRAFORM_CONFIG")
    beside = (machine.home / ".terraform.d").glob("*.tfrc*")
    for path in [Path(named)] if named else [machine.home / ".terraformrc", *sorted(beside)]:
        try:
            overrides = DEVELOPMENT_OVERRIDES.search(path.read_text(errors="replace"))
        # Terraform says what is wrong with it, or goes on without.
        except OSError:
            continue
        if overrides:
            raise BadConfiguration(
                f"{path} has dev_overrides, so Terraform would run a provider that no lock names; "
                "take them out, or name another file in TF_CLI_CONFIG_FILE."
            )


def ensure_provider_configuration(project: Path, machine: Machine | None = None) -> Path | None:
    """Write the Terraform CLI configuration that names the mirror, and return it; None when there is no mirror."""
    mirror = provider_mirror(machine)
    if mirror is None:
        # Then Terraform reads the user's own.
        refuse_development_overrides(machine)
        return None
    own_private(project)
    path = project / ".sawhorse/terraform.rc"
    content = CLI_CONFIGURATION.format(mirror=json.dumps(str(mirror)), source=PROVIDER_SOURCE)
    write_atomically(path, content)
    return path


def with_rare_collections() -> dict[str, str]:
    """Let Go collect garbage less often: the AWS provider takes a fifth less of the processor, and 100 MB more memory.

    Measured with plans of an app with two tables, provider 5.100.0 (https://pkg.go.dev/runtime#hdr-Environment_Variables).
    """
    return {"GOGC": os.environ.get("GOGC", "400")}


def terraform_environment(project: Path) -> dict[str, str]:
    """Return the variables that every run of Terraform gets: where providers come from, and that nobody is asked."""
    variables = {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}
    configuration = ensure_provider_configuration(project)
    if configuration:
        variables["TF_CLI_CONFIG_FILE"] = str(configuration)
    elif "TF_PLUGIN_CACHE_DIR" not in os.environ:
        cache = project / ".sawhorse/cache/terraform-plugins"
        own_private(project, "cache")
        make_own_directory(cache)
        variables["TF_PLUGIN_CACHE_DIR"] = str(cache)
    return variables
