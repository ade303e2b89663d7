//! The blackbox exporter beside the gate, on the same servers: both must come to the same verdict.

use std::net::Ipv4Addr;
use std::time::{SystemTime, UNIX_EPOCH};

use sandbox::peers::certificate::{Certificate, Valid};
use sandbox::peers::{Blackbox, MODULES, Nginx, Opinion, Place, Redis};

use crate::gate::{Gate, check, check_as, quoted, url};
use crate::name_server::{NameServer, Says};

/// Compares what the exporter says of a target with one look of the gate.
#[track_caller]
fn both_say(good: bool, blackbox: &Blackbox, module: &str, target: &str, gate: Gate) -> Opinion {
    let opinion = blackbox.probe(module, target).unwrap();
    assert_eq!(opinion.success, good, "{target}:\n{}", opinion.text);
    gate.ends(if good { 0 } else { 3 });
    opinion
}

#[test]
fn they_agree_on_answers_of_http() {
    let (place, its_place) = (Place::new().unwrap(), Place::new().unwrap());
    let server = "location /200 { return 200 \"all is well\\n\"; } location /204 { return 204; }
        location /404 { return 404; } location /503 { return 503; } location /302 { return 302 /200; }
        location /loop { return 302 /loop; } location /maintenance { return 200 \"back soon\\n\"; }";
    let nginx = Nginx::start(&place, server).unwrap();
    let modules = format!(
        "{MODULES}  redirects_followed:
    prober: http
    timeout: 2s
    http: {{preferred_ip_protocol: ip4}}
  all_is_well:
    prober: http
    timeout: 2s
    http: {{preferred_ip_protocol: ip4, fail_if_body_not_matches_regexp: [\"all is well\"]}}
  not_found:
    prober: http
    timeout: 2s
    http: {{preferred_ip_protocol: ip4, valid_status_codes: [404]}}
"
    );
    let blackbox = Blackbox::start(&its_place, &modules).unwrap();
    let follow = ["--follow", "10"];
    let well = ["--expect-body", "all is well"];
    let not_found = ["--expect-status", "404"];
    for (path, good, module, flags) in [
        ("/200", true, "http_2xx", &[][..]),
        ("/204", true, "http_2xx", &[]),
        ("/404", false, "http_2xx", &[]),
        ("/503", false, "http_2xx", &[]),
        ("/302", false, "http_2xx", &[]),
        ("/302", true, "redirects_followed", &follow),
        ("/loop", false, "redirects_followed", &follow),
        ("/200", true, "all_is_well", &well),
        ("/maintenance", false, "all_is_well", &well),
        ("/404", true, "not_found", &not_found),
        ("/200", false, "not_found", &not_found),
    ] {
        let url = url("http", nginx.address(), path);
        let opinion = both_say(good, &blackbox, module, &url, check(&["--url", &url]).with(flags));
        if path == "/503" {
            assert_eq!(opinion.metric("probe_http_status_code"), Some(503.0));
        }
    }
    let gone = url("http", nginx.address(), "/200");
    drop(nginx);
    both_say(false, &blackbox, "http_2xx", &gone, check(&["--url", &gone]));
}

#[test]
fn they_agree_on_ports_and_what_is_said_there() {
    let (place, its_place) = (Place::new().unwrap(), Place::new().unwrap());
    let modules = format!(
        "{MODULES}  ping:
    prober: tcp
    timeout: 2s
    tcp: {{preferred_ip_protocol: ip4, query_response: [{{send: \"PING\"}}, {{expect: \"^\\\\+PONG\"}}]}}
"
    );
    let blackbox = Blackbox::start(&its_place, &modules).unwrap();
    for (settings, good) in [(&[][..], true), (&["requirepass open-sesame"], false)] {
        let redis = Redis::start(&place, settings).unwrap();
        let address = redis.address().to_string();
        let say = [
            "--tcp",
            &address,
            "--send",
            "PING\\r\\n",
            "--expect-body",
            "^\\+PONG",
        ];
        both_say(
            true,
            &blackbox,
            "tcp_connect",
            &address,
            check(&["--tcp", &address]),
        );
        both_say(good, &blackbox, "ping", &address, check(&say));
        drop(redis);
        both_say(
            false,
            &blackbox,
            "tcp_connect",
            &address,
            check(&["--tcp", &address]),
        );
        both_say(false, &blackbox, "ping", &address, check(&say));
    }
}

#[test]
fn they_agree_on_names() {
    const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);
    let place = Place::new().unwrap();
    let modules = "modules:
  name:
    prober: dns
    timeout: 2s
    dns:
      query_name: shop.example
      query_type: A
      preferred_ip_protocol: ip4
      validate_answer_rrs: {fail_if_none_matches_regexp: [\"192.0.2.7\"]}
";
    let blackbox = Blackbox::start(&place, modules).unwrap();
    for (says, good) in [
        (Says::Address(ADDRESS), true),
        (Says::Address(Ipv4Addr::new(192, 0, 2, 8)), false),
        (Says::Nothing, false),
        (Says::NoName, false),
        (Says::Failed, false),
    ] {
        let server = NameServer::start(says);
        let resolver = server.address().to_string();
        let address = ADDRESS.to_string();
        let ask = [
            "--dns",
            "shop.example.",
            "--resolver",
            &resolver,
            "--expect-record",
            &address,
        ];
        both_say(good, &blackbox, "name", &resolver, check(&ask));
    }
    // Two that differ do not agree, whatever each of them says.
    let servers = [ADDRESS, Ipv4Addr::LOCALHOST].map(|address| NameServer::start(Says::Address(address)));
    let [one, two] = servers.each_ref().map(|server| server.address().to_string());
    let ask = ["--dns", "shop.example.", "--resolver", &one, "--resolver", &two];
    check(&ask).ends(3).says(&["192.0.2.7", "127.0.0.1"]);
}

/// The exporter with modules that trust this authority, and the look of the gate that does.
fn of_authority(certificate: &Certificate, place: &Place) -> Blackbox {
    let authority = quoted(&place.write("ca.pem", certificate.authority()).unwrap());
    let modules = format!(
        "{MODULES}  https_of_authority:
    prober: http
    timeout: 2s
    http: {{preferred_ip_protocol: ip4, tls_config: {{ca_file: {authority}}}}}
  tls_of_authority:
    prober: tcp
    timeout: 2s
    tcp: {{preferred_ip_protocol: ip4, tls: true, tls_config: {{ca_file: {authority}}}}}
  tls_of_another_name:
    prober: tcp
    timeout: 2s
    tcp: {{preferred_ip_protocol: ip4, tls: true, tls_config: {{ca_file: {authority}, server_name: shop.example}}}}
"
    );
    Blackbox::start(place, &modules).unwrap()
}

#[test]
fn they_agree_on_certificates() {
    for (certificate, good) in [
        (Certificate::signed(Valid::Now).unwrap(), true),
        (Certificate::signed(Valid::Days(9)).unwrap(), true),
        (Certificate::self_signed().unwrap(), true),
        (Certificate::signed(Valid::Once).unwrap(), false),
        (Certificate::signed(Valid::Later).unwrap(), false),
    ] {
        let (place, its_place) = (Place::new().unwrap(), Place::new().unwrap());
        certificate.write(&place).unwrap();
        let nginx = Nginx::start_tls(&place, "return 200;").unwrap();
        let blackbox = of_authority(&certificate, &its_place);
        let address = nginx.address().to_string();
        let url = url("https", nginx.address(), "/");
        let trusting = |gate: Gate| gate.trusting(certificate.authority());

        let look = trusting(check(&["--url", &url]));
        let opinion = both_say(good, &blackbox, "https_of_authority", &url, look);
        if good {
            let http = opinion.metric("probe_http_version");
            assert_eq!(http, Some(2.0), "{}", opinion.text);
        } else {
            // It is the certificate alone: without a look at it the same answer is good.
            let careless = blackbox.probe("http_2xx_any_certificate", &url).unwrap();
            assert!(careless.success, "{}", careless.text);
        }
        let look = trusting(check(&["--tls", &address]));
        both_say(good, &blackbox, "tls_of_authority", &address, look);
        let look = trusting(check_as(&format!(
            "{{ tls: \"{address}\", server_name: shop.example }}"
        )));
        both_say(false, &blackbox, "tls_of_another_name", &address, look);
        // Nor does either trust whom the system does not.
        both_say(false, &blackbox, "tls", &address, check(&["--tls", &address]));
        both_say(false, &blackbox, "http_2xx", &url, check(&["--url", &url]));
    }
}

#[test]
fn they_agree_on_the_days_that_are_left() {
    const DAY: f64 = 24.0 * 60.0 * 60.0;
    let (place, its_place) = (Place::new().unwrap(), Place::new().unwrap());
    let certificate = Certificate::signed(Valid::Days(9)).unwrap();
    certificate.write(&place).unwrap();
    let nginx = Nginx::start_tls(&place, "return 200;").unwrap();
    let blackbox = of_authority(&certificate, &its_place);
    let address = nginx.address().to_string();
    let opinion = blackbox.probe("tls_of_authority", &address).unwrap();
    let end = opinion.metric("probe_ssl_earliest_cert_expiry").unwrap();
    let seen = check(&["--tls", &address])
        .trusting(certificate.authority())
        .ends(0);
    let target = &seen.report["wait"]["targets"][0];
    // Half a day is to spare, so it does not matter who looked when.
    assert_eq!(target["days_left"].as_f64(), Some(((end - now()) / DAY).floor()));
}

/// Seconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "the exporter tells when it ends, not how long that is"
)]
fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs_f64()
}
