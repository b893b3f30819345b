"""Tokens for Amazon MSK's IAM authentication, by AWS's own signer."""

from collections.abc import Callable

#: What librdkafka's `oauth_cb` returns: the token, and when it expires in seconds since the epoch.
TokenCallback = Callable[[str], tuple[str, float]]


def token_callback(region: str) -> TokenCallback:
    """A callback that signs a token for `region` with the credentials boto3 finds."""

    def sign(_config: str) -> tuple[str, float]:
        from aws_msk_iam_sasl_signer import MSKAuthTokenProvider  # noqa: PLC0415 - loads botocore, only MSK pays

        token, expiry_ms = MSKAuthTokenProvider.generate_auth_token(region)
        return token, expiry_ms / 1000  # the signer counts in milliseconds, librdkafka in seconds

    return sign
