"""Who may call, as settings of Penny; with `cognito` a user pool that says so."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from infra.deployment import Deployment


def auth_settings(scope: Construct, deployment: Deployment) -> dict[str, str]:
    """PENNY_AUTH and what belongs to it; makes the user pool if the deployment wants one."""
    auth = deployment.auth
    if not auth.cognito:
        assert auth.jwks
        assert auth.issuer
        assert auth.audience
        return {
            "PENNY_AUTH": f"jwks:{auth.jwks}",
            "PENNY_AUTH_ISSUER": auth.issuer,
            "PENNY_AUTH_AUDIENCE": auth.audience,
        }
    pool = cognito.UserPool(
        scope,
        "Users",
        user_pool_name=deployment.prefix,
        self_sign_up_enabled=False,
        sign_in_aliases=cognito.SignInAliases(email=True),
        mfa=cognito.Mfa.REQUIRED,
        mfa_second_factor=cognito.MfaSecondFactor(otp=True, sms=False),
        password_policy=cognito.PasswordPolicy(
            min_length=12, require_digits=True, require_lowercase=True, require_uppercase=True, require_symbols=True
        ),
        account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
        feature_plan=cognito.FeaturePlan.PLUS,
        standard_threat_protection_mode=cognito.StandardThreatProtectionMode.FULL_FUNCTION,
        deletion_protection=deployment.size.protected,
        removal_policy=RemovalPolicy.RETAIN if deployment.size.protected else RemovalPolicy.DESTROY,
    )
    client = pool.add_client(
        "App",
        auth_flows=cognito.AuthFlow(user_srp=True),
        id_token_validity=Duration.hours(1),
        prevent_user_existence_errors=True,
        generate_secret=False,
    )
    issuer = f"https://cognito-idp.{Stack.of(scope).region}.amazonaws.com/{pool.user_pool_id}"
    return {
        "PENNY_AUTH": f"jwks:{issuer}/.well-known/jwks.json",
        "PENNY_AUTH_ISSUER": issuer,
        "PENNY_AUTH_AUDIENCE": client.user_pool_client_id,  # that of an id token; access tokens have none
    }
