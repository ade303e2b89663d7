//! gRPC's health service; as gRPC's own client sees it.

use std::net::SocketAddr;

use sandbox::peers::certificate::{Certificate, Valid};
use sandbox::peers::{GrpcHealth, Nginx, Place, Serving};

use crate::gate::{Gate, check, wait, wait_tcp};

fn look(address: SocketAddr, service: &str) -> Gate {
    let address = address.to_string();
    match service {
        "" => check(&["--grpc", &address]),
        _ => check(&["--grpc", &address, "--grpc-service", service]),
    }
}

#[test]
fn each_service_has_its_status() {
    let place = Place::new().unwrap();
    let grpc = GrpcHealth::start(&place).unwrap();
    let address = grpc.address();
    grpc.set("shop", Serving::NotServing).unwrap();
    grpc.set("cart", Serving::Unknown).unwrap();
    for (service, status, code, reason) in [
        ("", "SERVING", 0, ""),
        ("shop", "NOT_SERVING", 3, "is NOT_SERVING"),
        ("cart", "UNKNOWN", 3, "is UNKNOWN"),
        ("nobody", "NOT_FOUND", 3, "does not know the service `nobody`"),
    ] {
        assert_eq!(grpc.check(&place, service).unwrap(), status, "{service}");
        look(address, service).ends(code).says(&[reason]);
    }
    wait_tcp(address).passes();

    let target = ["--grpc", &address.to_string(), "--grpc-service", "shop"];
    let mut waiting = wait(&target).with(&["--timeout", "60s"]).start();
    waiting.wait_for("NOT_SERVING");
    grpc.set("shop", Serving::Serving).unwrap();
    waiting.ends(0);
    assert_eq!(grpc.check(&place, "shop").unwrap(), "SERVING");
}

#[test]
fn over_tls_it_does_not_answer_without() {
    let place = Place::new().unwrap();
    let certificate = Certificate::signed(Valid::Now).unwrap();
    certificate.write(&place).unwrap();
    let grpc = GrpcHealth::start_tls(&place).unwrap();
    let address = grpc.address();
    assert_eq!(grpc.check(&place, "").unwrap(), "UNAVAILABLE");
    assert_eq!(grpc.check_tls(&place, "").unwrap(), "SERVING");
    look(address, "").ends(3);
    wait_tcp(address).passes();
    look(address, "")
        .with(&["--secure"])
        .trusting(certificate.authority())
        .ends(0);
    let other = Certificate::signed(Valid::Now).unwrap();
    look(address, "")
        .with(&["--secure"])
        .trusting(other.authority())
        .ends(3)
        .says(&["TLS failed"]);
}

#[test]
fn another_server_is_told_from_one_that_is_ill() {
    let (place, tls_place) = (Place::new().unwrap(), Place::new().unwrap());
    let plain = Nginx::start(&place, "return 200 \"ready\\n\";").unwrap();
    look(plain.address(), "").ends(3).says(&["HTTP/2"]);
    look(plain.address(), "")
        .with(&["--secure"])
        .ends(3)
        .says(&["the server does not speak it at this port"]);

    let certificate = Certificate::signed(Valid::Now).unwrap();
    certificate.write(&tls_place).unwrap();
    let http2 = Nginx::start_tls(&tls_place, "return 404;").unwrap();
    look(http2.address(), "")
        .with(&["--secure"])
        .trusting(certificate.authority())
        .ends(3)
        .says(&["answered HTTP 404 and no gRPC"]);
}

#[test]
fn one_without_the_health_service_is_not_waited_for() {
    let (place, tls_place) = (Place::new().unwrap(), Place::new().unwrap());
    let grpc = GrpcHealth::start_bare(&place).unwrap();
    assert_eq!(grpc.check(&place, "").unwrap(), "UNIMPLEMENTED");
    let said = ["the server has no `grpc.health.v1.Health/Check` (UNIMPLEMENTED)"];
    let finished = look(grpc.address(), "").ends(2).says(&said);
    assert_eq!(finished.report["verdict"], "error");
    look(grpc.address(), "shop").ends(2).says(&said);
    // By waiting it gets none: its ten minutes are not used up.
    let target = ["--grpc", &grpc.address().to_string()];
    let finished = wait(&target).with(&["--timeout", "10m"]).ends(2).says(&said);
    assert_eq!(finished.report["verdict"], "error");

    let certificate = Certificate::signed(Valid::Now).unwrap();
    certificate.write(&tls_place).unwrap();
    let grpc = GrpcHealth::start_bare_tls(&tls_place).unwrap();
    assert_eq!(grpc.check_tls(&tls_place, "").unwrap(), "UNIMPLEMENTED");
    look(grpc.address(), "")
        .with(&["--secure"])
        .trusting(certificate.authority())
        .ends(2)
        .says(&said);
}
