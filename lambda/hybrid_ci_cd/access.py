"""Find out who calls: a user by a session, an agent by its token, a login service by its key."""

import hmac
from http import HTTPStatus
from typing import Annotated

from fastapi import Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from hybrid_ci_cd.agents import AgentStore, KnownAgent
from hybrid_ci_cd.models import AgentScope
from hybrid_ci_cd.sessions import Session, SessionStore
from shared.api_errors import ApiError, unauthorized
from shared.api_keys import hash_key

SESSION = HTTPBearer(
    scheme_name="Session", bearerFormat="session id", description="The `session_id` of a login.", auto_error=False
)
AGENT = HTTPBearer(
    scheme_name="Agent", bearerFormat="agent token", description="The `agent_token` of an agent.", auto_error=False
)
SESSION_KEY = APIKeyHeader(
    name="X-Session-Key",
    scheme_name="SessionKey",
    description="Needed where the service is set up to know who may make sessions.",
    auto_error=False,
)

Credentials = HTTPAuthorizationCredentials | None
# What of the asking session's handle stands in every line of the log: enough to follow it. A handle is the hash of the
# id, and opens nothing.
LOGGED_HANDLE_LENGTH = 12


class Access:
    """Check credentials; the methods are dependencies of routes. Nothing is remembered, so what ends ends at once."""

    def __init__(self, *, sessions: SessionStore, agents: AgentStore, session_key_hash: str | None) -> None:
        self._sessions = sessions
        self._agents = agents
        self._session_key_hash = session_key_hash

    async def session(self, request: Request, shown: Annotated[Credentials, Security(SESSION)]) -> Session:
        """Return the caller's session, or refuse with 401."""
        found = self._sessions.find(shown.credentials) if shown else None
        if found is None:
            raise session_ended()
        request.state.log_fields["session"] = found.handle[:LOGGED_HANDLE_LENGTH]
        return found

    async def agent(self, request: Request, shown: Annotated[Credentials, Security(AGENT)]) -> KnownAgent:
        """Return the calling agent, or refuse with 401."""
        found = self._agents.authenticate(shown.credentials) if shown else None
        if found is None:
            raise agent_unknown()
        request.state.log_fields["agent_id"] = found.agent_id
        return found

    async def runner(self, request: Request, shown: Annotated[Credentials, Security(AGENT)]) -> KnownAgent:
        """Return the calling agent if it may run jobs, or refuse with 401 or 403."""
        found = await self.agent(request, shown)
        _require(found, "run")
        return found

    async def user(
        self,
        request: Request,
        session: Annotated[Credentials, Security(SESSION)],
        agent: Annotated[Credentials, Security(AGENT)],
    ) -> str:
        """Return the id of the user who calls with a session, or whose agent calls, or refuse with 401."""
        known = self._agents.authenticate(agent.credentials) if agent else None
        if known is not None:
            request.state.log_fields["agent_id"] = known.agent_id
            _require(known, "read")
            return known.user_id
        return (await self.session(request, session)).user_id

    def still_holds(self, session: Session) -> bool:
        """Tell whether a session that was found holds at this moment."""
        return self._sessions.still_holds(session)

    async def session_key(self, key: Annotated[str | None, Security(SESSION_KEY)]) -> None:
        """Let through whoever may say that a user has logged in: everybody, unless a key is set."""
        if self._session_key_hash is None:
            return
        if not key or not hmac.compare_digest(hash_key(key), self._session_key_hash):
            raise unauthorized(
                "Only a login service makes sessions. Send its key as X-Session-Key.", scheme=_bearer("session_key")
            )


def session_ended() -> ApiError:
    """Make the response to a request without a session that holds."""
    return unauthorized(
        "There is no session, or it has ended. Log in, and send its id as Bearer.", scheme=_bearer("session")
    )


def agent_unknown() -> ApiError:
    """Make the response to a token that no agent has, or no longer has."""
    return unauthorized(
        "This is not an agent's token, or the agent was removed. Register it again.", scheme=_bearer("agent")
    )


def _require(agent: KnownAgent, scope: AgentScope) -> None:
    """Refuse with 403 what an agent's token may not do."""
    if scope not in agent.scopes:
        told = " and ".join(sorted(agent.scopes)) or "none"
        raise ApiError(
            HTTPStatus.FORBIDDEN,
            "forbidden",
            f"This agent's token may not do that: it has the scopes {told}, and this needs {scope}. "
            "Register another agent.",
        )


def _bearer(realm: str) -> str:
    return f'Bearer realm="{realm}"'
