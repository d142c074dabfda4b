"""Keep the state of a root's local runs in the local S3, as it is kept in a bucket on AWS."""

from __future__ import annotations

from sawhorse.environment import read_environment
from sawhorse.errors import BadConfiguration
from sawhorse.local.clients import local_client
from sawhorse.local.emulators import Running
from sawhorse.local.overlay import bucket_for_local_states, keep_local_state_in, local_state, local_state_bucket
from sawhorse.local.prerequisites import make_bucket
from sawhorse.project import Root
from sawhorse.terraform.moving import command_to_move
from sawhorse.terraform.state_store import FileStore, read_state


def take_state_bucket(root: Root, running: Running | None) -> None:
    """Let the state of a root's local runs be in the bucket from now on.

    Raises BadConfiguration on AWS, where environment.yaml decides, and where a file holds that state.
    """
    if running is None:
        raise BadConfiguration(
            "--state-bucket is for --local; on AWS state_bucket in "
            f"environments/{root.environment}/environment.yaml says where states are."
        )
    if local_state_bucket(root):
        return
    state = read_state(FileStore(local_state(root).parent))
    if state and (state.snapshot.resources or state.outputs):
        raise BadConfiguration(
            f"The state of local runs of {root.name} lies in {root.project.shown(local_state(root))}; move it with "
            f"{command_to_move(root, 'bucket', local=True)}."
        )
    keep_local_state_in(root, make_bucket_for_local_states(root, running))


def make_bucket_for_local_states(root: Root, running: Running) -> str:
    """Make the bucket unless it is there, keeping versions, and return its name."""
    environment = read_environment(root.project, root.environment)
    bucket = bucket_for_local_states(environment)
    s3 = local_client("s3", running.variables(environment))
    make_bucket(s3, bucket, environment)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return bucket
