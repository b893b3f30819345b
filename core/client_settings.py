"""Settings of the clients of the HTTP services: the page, the command line and the MCP server."""

from pydantic import Field, SecretStr

from core.setting_types import FilePath, Group, HttpUrl, PageUrl, Seconds


class WebSettings(Group):
    """The page for agents, which the RAG service serves."""

    token_url: PageUrl | None = Field(
        None,
        description="URL at which the page exchanges a sign-in code for a token (the local issuer's /token); without "
        "it users paste a token.",
    )
    tenant: str | None = Field(None, description="Tenant that the page's sign-in form suggests.")
    ticket_url: HttpUrl | None = Field(
        None, description="Page of a ticket in your helpdesk, with {ticket_id} in it; the page links sources to it."
    )
    examples: str = Field("", description="Questions that the page offers, separated by `|`.")


class ClientSettings(Group):
    """The services that the command line and the MCP server call."""

    rag_url: HttpUrl = Field("http://127.0.0.1:8082", description="Base URL of the RAG service.")
    tickets_url: HttpUrl = Field("http://127.0.0.1:8083", description="Base URL of the ticket API.")
    token: SecretStr | None = Field(None, description="Access token of the caller.")
    token_file: FilePath | None = Field(
        None, description="File that holds the access token; it is read for each request, so it may be renewed."
    )
    token_url: HttpUrl | None = Field(
        None,
        description="URL that exchanges the sign-in code or the client's credentials for a token, if no token is set: "
        "the local issuer's /token, or Cognito's /oauth2/token.",
    )
    sign_in_code: SecretStr | None = Field(
        None, description="Sign-in code of the local issuer, which `make run` prints."
    )
    client_id: str | None = Field(
        None,
        description="Id of a program that gets tokens from the token URL by its own credentials (OAuth client "
        "credentials), with the tenant as client metadata, as Amazon Cognito's token endpoint takes it.",
    )
    client_secret: SecretStr | None = Field(None, description="Secret of that program.")
    timeout_s: Seconds = Field(
        30.0, description="Maximum silence of a service. A streamed answer has a heartbeat every 15 s."
    )


class McpSettings(Group):
    """The MCP server."""

    host: str = Field("127.0.0.1", description="Address of the HTTP transport.")
    port: int = Field(8084, ge=0, le=65535, description="Port of the HTTP transport; 0 picks a free one.")


class CanarySettings(Group):
    """The function that asks the public address a question every few minutes."""

    secret_id: str | None = Field(
        None,
        description="Secret in Secrets Manager with `client_id`, `client_secret` if the client has one, `username` and "
        "`password` of the canary's Cognito user.",
    )
    sign_in_url: HttpUrl | None = Field(
        None, description="Cognito's URL for the canary's sign-in: https://cognito-idp.REGION.amazonaws.com/."
    )
    question: str = Field(
        "How do I get a refund?", description="The canary's question; a solved ticket of its tenant must answer it."
    )
