"""Tokens for IAM authentication at Amazon MSK, made by AWS's signer."""

from collections.abc import Callable

#: librdkafka's `oauth_cb`: returns the token, and when it expires, in seconds since the epoch.
TokenCallback = Callable[[str], tuple[str, float]]


def token_callback(region: str) -> TokenCallback:
    """A callback that signs a token for `region` with the credentials that boto3 finds."""

    def sign(_config: str) -> tuple[str, float]:
        from aws_msk_iam_sasl_signer import MSKAuthTokenProvider  # noqa: PLC0415 - imports botocore, needed for MSK only

        token, expiry_ms = MSKAuthTokenProvider.generate_auth_token(region)
        return token, expiry_ms / 1000  # the signer counts in milliseconds, librdkafka in seconds

    return sign
