//! TLS: the only file that knows rustls.
//!
//! The certificate is always checked against the host that the operator named: by the authorities that this system trusts, or
//! by those of one file. `Anyone` is for a server on this host, which the caller has made sure of.

use super::reply::tame;
use super::wire::Socket;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme, StreamOwned,
};
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

/// A socket inside TLS.
pub(super) type Stream = StreamOwned<ClientConnection, Socket>;

/// The largest file of certificates that is read: a system's whole bundle has a quarter of it.
const LARGEST_FILE: u64 = 1 << 20;

/// Whose certificates are good.
#[derive(Debug, Clone, Copy)]
pub(super) enum Trust<'a> {
    /// Those of the authorities that this system trusts.
    System,
    /// Those of the authorities in this file, in PEM.
    File(&'a Path),
    /// Everybody's.
    Anyone,
}

/// Shakes hands within the socket's deadline.
pub(super) fn start(mut socket: Socket, host: &str, trust: Trust<'_>) -> Result<Stream, String> {
    let provider = Arc::new(ring::default_provider());
    let versions = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let config = match trust {
        Trust::System => versions.with_root_certificates(roots_of_system()?),
        Trust::File(path) => versions.with_root_certificates(roots_of(path)?),
        Trust::Anyone => versions.dangerous().with_custom_certificate_verifier(Arc::new(Anyone { provider })),
    }
    .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(|_| format!("`{host}` is no name for TLS"))?;
    let mut connection = ClientConnection::new(Arc::new(config), name).map_err(|error| error.to_string())?;
    while connection.is_handshaking() {
        connection.complete_io(&mut socket).map_err(|error| tame(error.to_string().as_bytes()))?;
    }
    Ok(StreamOwned::new(connection, socket))
}

fn roots_of_system() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (good, _) = roots.add_parsable_certificates(found.certs);
    if good == 0 {
        return Err("this system has no list of certificate authorities".to_owned());
    }
    Ok(roots)
}

fn roots_of(path: &Path) -> Result<RootCertStore, String> {
    let unreadable = |error: io::Error| format!("{} cannot be read: {error}", path.display());
    let mut text = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(LARGEST_FILE).read_to_end(&mut text).map_err(unreadable)?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|error| format!("{}: {error}", path.display()))?;
        roots.add(certificate).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    if roots.is_empty() {
        return Err(format!("{} holds no certificate in PEM", path.display()));
    }
    Ok(roots)
}

/// Takes every certificate, but still wants the peer to own its key.
#[derive(Debug)]
struct Anyone {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
