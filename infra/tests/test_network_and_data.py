"""What can reach what, and what keeps the data."""

from __future__ import annotations

from infra.deployment import foundation
from infra.tests.conftest import Templates


def test_three_kinds_of_subnets_in_three_zones(production: Templates) -> None:
    """A zone that fails takes a third of everything, and each zone has its own way out."""
    zones = [subnet["AvailabilityZone"] for subnet in production.of("AWS::EC2::Subnet").values()]
    assert sorted(zones) == sorted(["eu-west-1a", "eu-west-1b", "eu-west-1c"] * 3)
    assert len(production.of("AWS::EC2::NatGateway")) == 3


def test_no_subnet_gives_public_addresses(any_size: Templates) -> None:
    """Only what is meant to be public has a public address."""
    assert not any(s.get("MapPublicIpOnLaunch") for s in any_size.of("AWS::EC2::Subnet").values())


def test_the_world_reaches_port_443_and_nothing_else(any_size: Templates) -> None:
    """Every other rule names a security group."""
    groups = any_size.of("AWS::EC2::SecurityGroup")
    open_to_all = [
        (rule["FromPort"], rule["ToPort"])
        for group in groups.values()
        for rule in group.get("SecurityGroupIngress", [])
        if "CidrIp" in rule or "CidrIpv6" in rule
    ]
    assert open_to_all == [(443, 443)]
    rules = any_size.of("AWS::EC2::SecurityGroupIngress").values()
    assert rules
    assert all("SourceSecurityGroupId" in rule and "CidrIp" not in rule for rule in rules)


def test_the_database_has_no_way_out(any_size: Templates) -> None:
    """Its subnets have no route but the network's own, and its group lets nothing out."""
    routes = [r for name, r in any_size.of("AWS::EC2::Route").items() if "dbSubnet" in name]
    assert routes == []
    egress = any_size.one("AWS::EC2::SecurityGroup", "Data/Group")["SecurityGroupEgress"]
    assert [rule["CidrIp"] for rule in egress] == ["255.255.255.255/32"]  # CDK's word for nothing


def test_endpoints_are_for_this_account_only(production: Templates) -> None:
    """Credentials of another account are of no use from within the network."""
    endpoints = [e for e in production.of("AWS::EC2::VPCEndpoint").values() if e["VpcEndpointType"] == "Interface"]
    assert len(endpoints) == 8
    for endpoint in endpoints:
        (statement,) = endpoint["PolicyDocument"]["Statement"]
        assert statement["Condition"]["StringEquals"]["aws:PrincipalAccount"] == "111111111111"


def test_bedrock_is_reached_for_the_deployments_models_only(production: Templates) -> None:
    """The endpoint's policy names the model and what stands in for it, whoever asks."""
    (policy,) = [
        e["PolicyDocument"]["Statement"][0]
        for e in production.of("AWS::EC2::VPCEndpoint").values()
        if "bedrock-runtime" in str(e["ServiceName"])
    ]
    assert set(policy["Action"]) == {"bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"}
    models = [r for r in policy["Resource"] if "foundation-model" in r]
    named = [f"arn:aws:bedrock:*::foundation-model/{foundation(model)}" for model in production.deployment.models]
    assert models == named


def test_refused_traffic_is_logged(any_size: Templates) -> None:
    """By flow logs of the whole network."""
    assert any_size.one("AWS::EC2::FlowLog")["TrafficType"] == "REJECT"


def test_the_database_is_postgresql_18_and_encrypted(any_size: Templates) -> None:
    """The same major version as the embedded one; TLS is forced, and the password is RDS's own affair."""
    cluster = any_size.one("AWS::RDS::DBCluster")
    assert cluster["EngineVersion"].startswith("18.")
    assert cluster["StorageEncrypted"]
    assert cluster["EnableIAMDatabaseAuthentication"]
    assert cluster["ManageMasterUserPassword"]
    assert "MasterUserPassword" not in cluster
    assert any_size.one("AWS::RDS::DBClusterParameterGroup")["Parameters"]["rds.force_ssl"] == "1"


def test_the_database_logs_no_values(any_size: Templates) -> None:
    """A slow statement is logged without what it was asked with: that is somebody's money."""
    parameters = any_size.one("AWS::RDS::DBClusterParameterGroup")["Parameters"]
    assert parameters["log_parameter_max_length"] == "0"
    assert parameters["log_parameter_max_length_on_error"] == "0"


def test_instances_and_backups_are_those_of_the_size(any_size: Templates) -> None:
    """A writer, the readers of the size, and a restore to any second of the days it says."""
    size = any_size.deployment.size
    assert len(any_size.of("AWS::RDS::DBInstance")) == 1 + size.readers
    cluster = any_size.one("AWS::RDS::DBCluster")
    assert cluster["BackupRetentionPeriod"] == size.backup_days
    assert cluster["ServerlessV2ScalingConfiguration"] == {"MinCapacity": size.acu, "MaxCapacity": size.acu_most}


def test_data_outlives_its_stack(any_size: Templates) -> None:
    """Taking the stack down leaves a snapshot; in production it is refused before that."""
    cluster = any_size.resource("AWS::RDS::DBCluster")
    assert cluster["DeletionPolicy"] == cluster["UpdateReplacePolicy"] == "Snapshot"
    assert cluster["Properties"]["DeletionProtection"] is any_size.deployment.size.protected


def test_the_first_reader_can_take_over(production: Templates) -> None:
    """It is kept as large as the writer, which a smaller one could not replace at once."""
    tiers = sorted(i["PromotionTier"] for i in production.of("AWS::RDS::DBInstance").values())
    assert tiers == [0, 1, 2]


def test_the_login_of_the_service_is_rotated(any_size: Templates) -> None:
    """Every 30 days, and not before the first migration has made it."""
    rotation = any_size.one("AWS::SecretsManager::RotationSchedule")
    assert rotation["RotateImmediatelyOnUpdate"] is False
    assert "30" in str(rotation["RotationRules"])


def test_keys_are_rotated(any_size: Templates) -> None:
    """Each key of KMS."""
    assert all(key["EnableKeyRotation"] for key in any_size.of("AWS::KMS::Key").values())
