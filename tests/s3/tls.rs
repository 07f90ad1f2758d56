//! A store behind `https://`, with a certificate of its own authority.

use crate::store::{Bucket, python, server_port, text};
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// Writes a certificate that is its own authority, and passes bytes between TLS and the store.
const SERVER: &str = r#"
import datetime, ipaddress, os, socket, ssl, sys, threading
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

def pem(path, *parts):
    with open(path, "wb") as file:
        file.writelines(parts)

def name(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

def certificate(subject, key, issuer, signer, is_authority):
    today = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)
    return (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer))
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(today - day).not_valid_after(today + 30 * day)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

authority, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
pem(sys.argv[2] + "/authority.pem", certificate("authority", authority, "authority", authority, True))
pem(sys.argv[2] + "/server.pem", certificate("server", key, "authority", authority, False),
    key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2] + "/server.pem")

def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass

def serve(plain):
    try:
        client = context.wrap_socket(plain, server_side=True)
        store = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    except OSError:
        return
    threading.Thread(target=pump, args=(client, store), daemon=True).start()
    pump(store, client)

def accept(listener):
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
threading.Thread(target=accept, args=(listener,), daemon=True).start()
sys.stdin.read()
os._exit(0)
"#;

fn start(bucket: &Bucket) -> (Child, String) {
    let mut server = Command::new(python())
        .args(["-c", SERVER, &server_port().to_string()])
        .arg(bucket.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    (server, format!("https://127.0.0.1:{}", line.trim()))
}

#[test]
fn a_certificate_of_ones_own_authority_is_trusted_where_it_is_named() {
    let bucket = Bucket::new("secure");
    let (_server, url) = start(&bucket);
    let row = "{\"text\": \"some words of a row\"}\n";
    bucket.put("in.jsonl", row);
    let recipe = "dataset_path: BUCKET/in.jsonl\nexport_path: BUCKET/out.jsonl\nprocess: []\n";
    let authority = bucket.path("authority.pem").display().to_string();
    let trusting = [("AWS_ENDPOINT_URL", &*url), ("SSL_CERT_FILE", &*authority)];
    let mut command = bucket.command_in("BUCKET/runs", recipe, &trusting);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(
        crate::store::ask("GET", "/secure/out.jsonl", b"").1,
        row.as_bytes()
    );
    // Nobody else trusts it. That is said at once, with what to do.
    fs::remove_dir_all(bucket.path(".cache")).unwrap();
    let output = bucket.run_with(recipe, &[("AWS_ENDPOINT_URL", &*url)]);
    let said = text(&output.stderr);
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(output.status.code(), Some(2), "{said}");
    for part in ["s3://secure/in.jsonl", "certificate", "SSL_CERT_FILE"] {
        assert!(said.contains(part), "`{part}` is not in {said}");
    }
}
