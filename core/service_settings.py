"""Settings of the HTTP services and of what they call."""

from pydantic import Field

from core.setting_types import Group, Url


class AuthSettings(Group):
    """The access tokens that the HTTP services accept."""

    issuer: Url | None = Field(
        None,
        description="Issuer of access tokens, as their `iss` claim has it. For Cognito: "
        "https://cognito-idp.REGION.amazonaws.com/POOL. The HTTP services need it.",
    )
    jwks_url: Url | None = Field(
        None, description="URL of the issuer's keys; by default the issuer's with /.well-known/jwks.json after it."
    )
    audiences: str = Field("", description="Accepted audiences (`aud`), comma-separated; empty leaves `aud` unchecked.")
    client_ids: str = Field(
        "",
        description="Accepted clients (`client_id`, as in Cognito's access tokens), comma-separated; empty leaves it "
        "unchecked. The HTTP services need audiences or clients, and check both if both are set.",
    )
