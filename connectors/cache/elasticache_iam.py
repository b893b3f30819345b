"""Credentials for IAM authentication at Amazon ElastiCache, signed with AWS's credentials of this process."""

from typing import Final

from redis import CredentialProvider
from redis.exceptions import ConnectionError as RedisConnectionError

#: The validity of a token, ElastiCache's maximum. An open connection outlives its token, for up to twelve hours.
_VALID_S: Final = 900


class IamCredentials(CredentialProvider):
    """Signs a token for each new connection. Does no I/O, except to fetch or renew AWS credentials."""

    def __init__(self, *, cluster: str, username: str, region: str) -> None:
        """Sign for the user `username` of the replication group `cluster`; the user's name is its id, too."""
        import botocore.session  # noqa: PLC0415 - imported for ElastiCache only

        self._url = f"https://{cluster}/?Action=connect&User={username}"
        self._username = username
        self._region = region
        self._session = botocore.session.get_session()

    def get_credentials(self) -> tuple[str, str]:
        """The user's name and a token.

        Raises:
            RedisConnectionError: AWS gives no credentials now, which is an outage like any other.
        """
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - imported for ElastiCache only
        from botocore.model import ServiceId  # noqa: PLC0415 - likewise
        from botocore.signers import RequestSigner  # noqa: PLC0415 - likewise

        try:
            signer = RequestSigner(
                ServiceId("elasticache"),
                self._region,
                "elasticache",
                "v4",
                self._session.get_credentials(),
                self._session.get_component("event_emitter"),
            )
            request = {"method": "GET", "url": self._url, "body": {}, "headers": {}, "context": {}}
            signed: str = signer.generate_presigned_url(
                request, operation_name="connect", expires_in=_VALID_S, region_name=self._region
            )
        except BotoCoreError as error:
            raise RedisConnectionError(f"AWS gives no credentials ({type(error).__name__})") from None
        return self._username, signed.removeprefix("https://")
