"""Make the task role of fileshare's service, which belongs to those who run the service."""

from __future__ import annotations

import json

from sawhorse.api import ClientOf, Environment, Root


def make(client_of: ClientOf, environment: Environment, root: Root) -> None:
    """Make the role unless it is there: the tasks take it, and so may whoever runs the backend as a process."""
    role = root.decided("task_role")
    if role is None:
        return
    iam = client_of("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {
                    "Service": "ecs-tasks.amazonaws.com",
                    "AWS": f"arn:aws:iam::{environment.account_id}:root",
                },
            }
        ],
    }
    try:
        iam.create_role(
            RoleName=role,
            AssumeRolePolicyDocument=json.dumps(trust),
            Description="What the tasks of the file sharing service may do.",
        )
    except iam.exceptions.EntityAlreadyExistsException:
        return
