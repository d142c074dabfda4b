"""Decide, in one table, which variables of this shell reach Terraform, its providers and AWS's clients.

A shell can change whom Terraform speaks to (endpoints, profiles, roles, workspaces) and what it runs (arguments,
providers, modules). Under `--local` nothing of that may arrive: a run there must act on the local AWS alone, whatever
the shell was prepared for. On AWS the operator's credentials and regions are taken over, and what would make a run
another one than `sawhorse` shows is not. The names are those of Terraform 1.11's and the AWS provider 5.100's programs
and of these pages; what none of them names yet is dropped with the last rows.

- https://developer.hashicorp.com/terraform/cli/config/environment-variables
- https://developer.hashicorp.com/terraform/internals/debugging
- https://registry.terraform.io/providers/hashicorp/aws/latest/docs#environment-variables
- https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html#EVarSettings
- https://opentofu.org/docs/cli/config/environment-variables/

Imports nothing but the standard library: a bare machine is set up with it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase


class Disposition(Enum):
    """What becomes of a variable."""

    KEPT = "kept"
    DROPPED = "dropped"


KEPT, DROPPED = Disposition.KEPT, Disposition.DROPPED


@dataclass(frozen=True)
class Rule:
    """What becomes of variables of a name, in which `*` stands for anything, and why; the first rule that fits counts.

    Dropped are also those that the harness sets itself.
    """

    name: str
    locally: Disposition
    on_aws: Disposition
    reason: str


RULES = (
    # Terraform: what stays.
    Rule("TF_CLI_CONFIG_FILE", KEPT, KEPT, "Says where providers come from, such as a mirror of one's company."),
    Rule("TERRAFORM_CONFIG", KEPT, KEPT, "The older name of TF_CLI_CONFIG_FILE."),
    Rule("TF_TOKEN_*", KEPT, KEPT, "Opens a private mirror or registry; what init brings is checked with the lock."),
    Rule("TF_PLUGIN_CACHE_DIR", KEPT, KEPT, "Where providers are kept; they are checked with the lock."),
    Rule("TF_REGISTRY_*", KEPT, KEPT, "How long and how often the registry is asked."),
    Rule("TF_PROVIDER_DOWNLOAD_RETRY", KEPT, KEPT, "How often a download is tried."),
    Rule("TF_VAR_*", KEPT, KEPT, "A value of a variable, which tfvars and --var outrank, as in a native run."),
    Rule("TF_LOG*", KEPT, KEPT, "What one asked to see of a run. It may hold secrets: keep it to yourself."),
    Rule("TF_PROVIDER_MIRROR", KEPT, KEPT, "The harness's own: a directory mirror of providers."),
    # Terraform: what goes.
    Rule("TF_CLI_ARGS*", DROPPED, DROPPED, "Options of another run: they could turn an apply into a destroy."),
    Rule(
        "TF_REATTACH_PROVIDERS", DROPPED, DROPPED, "Names a provider that runs already, with the keys of its own shell."
    ),
    Rule("TF_WORKSPACE", DROPPED, DROPPED, "Leads to another state than the root's; refused without --local."),
    Rule("TF_DATA_DIR", DROPPED, DROPPED, "Leads to another backend than the root's; refused without --local."),
    Rule(
        "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE", DROPPED, DROPPED, "Would take providers that no lock names."
    ),
    Rule("TF_SKIP_PROVIDER_VERIFY", DROPPED, DROPPED, "Would take providers that no lock names."),
    Rule("TF_DISABLE_PLUGIN_TLS", DROPPED, DROPPED, "Would let any process on this machine response as the provider."),
    Rule("TF_CLOUD_*", DROPPED, DROPPED, "Leads to HCP Terraform; state lies where environment.yaml says."),
    Rule("TF_FORCE_LOCAL_BACKEND", DROPPED, DROPPED, "Changes where a run happens."),
    Rule("TF_HTTP_*", DROPPED, DROPPED, "Leads state to a server; it lies where environment.yaml says."),
    Rule("TF_STATE_*", DROPPED, DROPPED, "Changes when state is kept, or how."),
    Rule("TF_ENCRYPTION", DROPPED, DROPPED, "OpenTofu's: writes state that Terraform cannot read."),
    Rule("TF_AWS_DEFAULT_TAGS_*", DROPPED, DROPPED, "Tags are those of environment.yaml."),
    Rule("TF_AWS_IGNORE_TAGS_*", DROPPED, DROPPED, "Tags are those of environment.yaml."),
    Rule("TF_AWS_*_ENDPOINT", DROPPED, DROPPED, "Leads the provider elsewhere than where the account was checked."),
    Rule("TF_IGNORE", DROPPED, DROPPED, "Only for runs on HCP Terraform."),
    Rule("TF_ACC*", DROPPED, DROPPED, "Only for tests of providers."),
    Rule("TF_APPEND_USER_AGENT", DROPPED, KEPT, "Tells AWS by whom a call is; the local AWS need not know."),
    Rule("TF_IN_AUTOMATION", DROPPED, DROPPED, "Set by the harness."),
    Rule("TF_INPUT", DROPPED, DROPPED, "Set by the harness: nobody can be asked."),
    Rule("TERRAFORM_*", DROPPED, DROPPED, "Of Terraform's own processes."),
    Rule("TF_*", DROPPED, DROPPED, "Whatever a later Terraform or provider reads: not before it stands above."),
    Rule("TOFU_*", DROPPED, DROPPED, "OpenTofu's."),
    Rule("OTEL_*", DROPPED, KEPT, "Sends what Terraform does to a collector."),
    # AWS: who acts, and where. The account is checked before anything else happens.
    Rule("AWS_ENDPOINT_URL*", DROPPED, KEPT, "Leads a service's calls elsewhere, such as into a private network."),
    Rule(
        "AWS_USE_FIPS_ENDPOINT", DROPPED, KEPT, "Other addresses, which clients refuse beside an endpoint that is set."
    ),
    Rule("AWS_USE_DUALSTACK_ENDPOINT", DROPPED, KEPT, "As AWS_USE_FIPS_ENDPOINT."),
    Rule("AWS_*_ENDPOINT", DROPPED, KEPT, "The same for single services, in older spelling."),
    Rule("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", DROPPED, KEPT, "Would lead every call past the local AWS."),
    Rule("AWS_PROFILE", DROPPED, KEPT, "Names whose keys and region are taken; its endpoints would win."),
    Rule("AWS_DEFAULT_PROFILE", DROPPED, KEPT, "As AWS_PROFILE."),
    Rule("AWS_CONFIG_FILE", DROPPED, KEPT, "Where profiles are."),
    Rule("AWS_SHARED_*_FILE", DROPPED, KEPT, "Where profiles and keys are."),
    Rule("AWS_SDK_LOAD_CONFIG", DROPPED, KEPT, "Whether profiles are read."),
    Rule("AWS_ACCESS_KEY*", DROPPED, KEPT, "Whose calls they are."),
    Rule("AWS_SECRET_*KEY", DROPPED, KEPT, "Whose calls they are."),
    Rule("AWS_SESSION_TOKEN", DROPPED, KEPT, "Whose calls they are."),
    Rule("AWS_SECURITY_TOKEN", DROPPED, KEPT, "The older name of AWS_SESSION_TOKEN."),
    Rule("AWS_CREDENTIAL_*", DROPPED, KEPT, "Whose calls they are, and until when."),
    Rule("AWS_ROLE_*", DROPPED, KEPT, "A role that would be taken first, by a call to AWS itself."),
    Rule("AWS_WEB_IDENTITY_TOKEN_FILE", DROPPED, KEPT, "As AWS_ROLE_ARN."),
    Rule("AWS_CONTAINER_*", DROPPED, KEPT, "A server that gives keys."),
    Rule("AWS_EC2_METADATA_*", DROPPED, KEPT, "A server that gives keys."),
    Rule("AWS_METADATA_*", DROPPED, KEPT, "A server that gives keys."),
    Rule("AWS_REGION", DROPPED, KEPT, "Where; environment.yaml has the last word."),
    Rule("AWS_DEFAULT_REGION", DROPPED, KEPT, "Where; environment.yaml has the last word."),
    Rule("AWS_CA_BUNDLE", DROPPED, KEPT, "Whose certificates are trusted; the local AWS has none."),
    Rule("AWS_SDK_GO_CLIENT_TLS_*", DROPPED, KEPT, "As AWS_CA_BUNDLE."),
    Rule("AWS_STS_REGIONAL_ENDPOINTS", DROPPED, KEPT, "Other addresses."),
    Rule("AWS_S3_*", DROPPED, KEPT, "Other addresses, or another protocol."),
    Rule("AWS_ENABLE_ENDPOINT_DISCOVERY", DROPPED, KEPT, "Asks AWS for addresses."),
    Rule("AWS_ACCOUNT_ID*", DROPPED, KEPT, "Addresses by account."),
    Rule("AWS_CSM_*", DROPPED, KEPT, "Sends every call to a monitor."),
    Rule("AWS_MAX_ATTEMPTS", DROPPED, KEPT, "Set by the harness, so that a dead emulator is noticed."),
    Rule("AWS_*", DROPPED, KEPT, "Whatever a later SDK reads: on the local AWS not before it stands above."),
    # The way to the registry and the mirror. This machine is put on NO_PROXY for the local AWS.
    Rule("*_PROXY", KEPT, KEPT, "How this machine reaches the registry."),
    Rule("*", KEPT, KEPT, "Of other programs."),
)
# What would lead Terraform to another state than the root's; without --local a shell that has it is refused.
STATE_ENV = ("TF_WORKSPACE", "TF_DATA_DIR")


def rule_of(name: str) -> Rule:
    """Return the rule for a variable."""
    return next(rule for rule in RULES if fnmatchcase(name, rule.name))


def is_kept(name: str, *, local: bool) -> bool:
    """Say whether a variable of the shell reaches Terraform and its providers."""
    rule = rule_of(name)
    return (rule.locally if local else rule.on_aws) is KEPT


def filtered(variables: Mapping[str, str] | None = None, *, local: bool) -> dict[str, str]:
    """Return what Terraform and its providers get of these variables, of this shell's by default."""
    found = os.environ if variables is None else variables
    return {name: value for name, value in found.items() if is_kept(name, local=local)}


def conflicting(variables: Mapping[str, str] | None = None) -> list[str]:
    """Name what a shell has to be rid of before it speaks to the local AWS alone: known names, and what it has besides.

    Names with a `*` cannot be unset, so of those only what is there is named.
    """
    found = os.environ if variables is None else variables
    known = {rule.name for rule in RULES if rule.locally is DROPPED and "*" not in rule.name}
    return sorted(known | {name for name in found if not is_kept(name, local=True)})
