"""Check whose AWS account a command would act in, before it does anything else."""

from __future__ import annotations

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from sawhorse.aws_sessions import aws_session
from sawhorse.environment import Environment
from sawhorse.errors import WrongAccount


def check_account(environment: Environment) -> None:
    """Refuse to go on unless the credentials belong to the environment's account."""
    config = Config(connect_timeout=5, read_timeout=10, retries={"max_attempts": 2})
    try:
        session = aws_session(region_name=environment.region)
        found = session.client("sts", config=config).get_caller_identity()["Account"]
    except NoCredentialsError as error:
        raise WrongAccount(
            f"There are no AWS credentials for {environment.name}. Set AWS_PROFILE or AWS_ACCESS_KEY_ID, "
            "or add --local to use the local AWS."
        ) from error
    except (BotoCoreError, ClientError) as error:
        raise WrongAccount(
            f"AWS did not accept the credentials for {environment.name}: {error}. Renew them (aws sso login), "
            "or add --local to use the local AWS."
        ) from error
    if found != environment.account_id:
        raise WrongAccount(
            f"These credentials belong to account {found}, and {environment.name} is {environment.account_id} in "
            f"environments/{environment.name}/environment.yaml. Use other credentials, or correct the file."
        )
