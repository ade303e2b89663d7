//! Where the services answer whose SDK crates are not linked, by the endpoint rules of their models in botocore. Pure.

/// A service as it is asked by a call of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its id in configuration: `AWS_ENDPOINT_URL_` and this, in capitals and with `_` for spaces.
    pub id: &'static str,
    /// Its name in signatures and in policies.
    pub name: &'static str,
    /// How it is spoken to.
    pub protocol: Protocol,
}

/// A wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// [AWS JSON 1.1](https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html), with what stands before the
    /// operation in `X-Amz-Target`.
    Json(&'static str),
    /// [AWS query](https://smithy.io/2.0/aws/protocols/aws-query-protocol.html), with the version.
    Query(&'static str),
    /// [AWS REST JSON](https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html), of which only what is got by a path.
    Rest,
}

/// Images.
pub const ECR: Service = Service {
    id: "ECR",
    name: "ecr",
    protocol: Protocol::Json("AmazonEC2ContainerRegistry_V20150921"),
};

/// Clusters of Kubernetes.
pub const EKS: Service = Service {
    id: "EKS",
    name: "eks",
    protocol: Protocol::Rest,
};

/// Who one is.
pub const STS: Service = Service {
    id: "STS",
    name: "sts",
    protocol: Protocol::Query("2011-06-15"),
};

/// Roles. It has one address for a whole partition.
pub const IAM: Service = Service {
    id: "IAM",
    name: "iam",
    protocol: Protocol::Query("2010-05-08"),
};

/// Secrets.
pub const SECRETS: Service = Service {
    id: "Secrets Manager",
    name: "secretsmanager",
    protocol: Protocol::Json("secretsmanager"),
};

/// Parameters.
pub const SSM: Service = Service {
    id: "SSM",
    name: "ssm",
    protocol: Protocol::Json("AmazonSSM"),
};

/// A partition: what its regions begin with, the end of its host names, and the host and the region of IAM.
struct Partition {
    regions: &'static [&'static str],
    suffix: &'static str,
    iam: (&'static str, &'static str),
}

/// All but the first, which is every other region.
const PARTITIONS: [Partition; 7] = [
    Partition {
        regions: &["cn-"],
        suffix: "amazonaws.com.cn",
        iam: ("iam.cn-north-1", "cn-north-1"),
    },
    Partition {
        regions: &["us-gov-"],
        suffix: "amazonaws.com",
        iam: ("iam.us-gov", "us-gov-west-1"),
    },
    Partition {
        regions: &["us-iso-"],
        suffix: "c2s.ic.gov",
        iam: ("iam.us-iso-east-1", "us-iso-east-1"),
    },
    Partition {
        regions: &["us-isob-"],
        suffix: "sc2s.sgov.gov",
        iam: ("iam.us-isob-east-1", "us-isob-east-1"),
    },
    Partition {
        regions: &["us-isof-"],
        suffix: "csp.hci.ic.gov",
        iam: ("iam.us-isof-south-1", "us-isof-south-1"),
    },
    Partition {
        regions: &["eu-isoe-"],
        suffix: "cloud.adc-e.uk",
        iam: ("iam.eu-isoe-west-1", "eu-isoe-west-1"),
    },
    Partition {
        regions: &["eusc-"],
        suffix: "amazonaws.eu",
        iam: ("iam.eusc-de-east-1", "eusc-de-east-1"),
    },
];

/// The partition of all other regions.
const COMMERCIAL: Partition = Partition {
    regions: &[],
    suffix: "amazonaws.com",
    iam: ("iam", "us-east-1"),
};

/// The address of a service in a region, and the region that a call to it is signed for. `fips`: the one whose cryptography
/// is validated, where there is one; FIPS hosts of IAM are those of the commercial partition, and elsewhere the usual one is.
#[must_use]
pub fn address(service: Service, region: &str, fips: bool) -> (String, String) {
    let of = |partition: &&Partition| partition.regions.iter().any(|begin| region.starts_with(begin));
    let partition = PARTITIONS.iter().find(of).unwrap_or(&COMMERCIAL);
    let suffix = partition.suffix;
    if service == IAM {
        let (host, signed_for) = partition.iam;
        let host = if fips && host == COMMERCIAL.iam.0 {
            "iam-fips"
        } else {
            host
        };
        return (format!("https://{host}.{suffix}"), signed_for.to_owned());
    }
    let is_commercial = partition.regions.is_empty();
    // All of STS and EKS in GovCloud is validated, and says so by no name.
    let fips = fips && !(region.starts_with("us-gov-") && (service == STS || service == EKS));
    let host = match (service == ECR, fips) {
        (true, false) => "api.ecr".to_owned(),
        (_, false) => service.name.to_owned(),
        (_, true) if service == EKS && is_commercial => "fips.eks".to_owned(),
        (_, true) => format!("{}-fips", service.name),
    };
    (format!("https://{host}.{region}.{suffix}"), region.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_has_its_address() {
        for (service, region, fips, address_is, signed_for) in [
            (
                ECR,
                "eu-west-1",
                false,
                "api.ecr.eu-west-1.amazonaws.com",
                "eu-west-1",
            ),
            (
                ECR,
                "us-east-1",
                true,
                "ecr-fips.us-east-1.amazonaws.com",
                "us-east-1",
            ),
            (
                ECR,
                "cn-north-1",
                false,
                "api.ecr.cn-north-1.amazonaws.com.cn",
                "cn-north-1",
            ),
            (
                SSM,
                "eu-west-1",
                false,
                "ssm.eu-west-1.amazonaws.com",
                "eu-west-1",
            ),
            (
                SECRETS,
                "us-gov-west-1",
                true,
                "secretsmanager-fips.us-gov-west-1.amazonaws.com",
                "us-gov-west-1",
            ),
            (
                SECRETS,
                "eusc-de-east-1",
                false,
                "secretsmanager.eusc-de-east-1.amazonaws.eu",
                "eusc-de-east-1",
            ),
            (
                EKS,
                "eu-west-1",
                false,
                "eks.eu-west-1.amazonaws.com",
                "eu-west-1",
            ),
            (
                EKS,
                "eu-west-1",
                true,
                "fips.eks.eu-west-1.amazonaws.com",
                "eu-west-1",
            ),
            (
                EKS,
                "us-gov-west-1",
                true,
                "eks.us-gov-west-1.amazonaws.com",
                "us-gov-west-1",
            ),
            (
                EKS,
                "cn-north-1",
                true,
                "eks-fips.cn-north-1.amazonaws.com.cn",
                "cn-north-1",
            ),
            (
                STS,
                "us-east-1",
                true,
                "sts-fips.us-east-1.amazonaws.com",
                "us-east-1",
            ),
            (
                STS,
                "us-gov-west-1",
                true,
                "sts.us-gov-west-1.amazonaws.com",
                "us-gov-west-1",
            ),
            (IAM, "eu-west-1", false, "iam.amazonaws.com", "us-east-1"),
            (IAM, "eu-west-1", true, "iam-fips.amazonaws.com", "us-east-1"),
            (
                IAM,
                "cn-northwest-1",
                false,
                "iam.cn-north-1.amazonaws.com.cn",
                "cn-north-1",
            ),
            (
                IAM,
                "us-gov-east-1",
                true,
                "iam.us-gov.amazonaws.com",
                "us-gov-west-1",
            ),
            (
                IAM,
                "us-iso-west-1",
                false,
                "iam.us-iso-east-1.c2s.ic.gov",
                "us-iso-east-1",
            ),
        ] {
            let expected = (format!("https://{address_is}"), signed_for.to_owned());
            assert_eq!(address(service, region, fips), expected, "{service:?} {region}");
        }
    }
}
