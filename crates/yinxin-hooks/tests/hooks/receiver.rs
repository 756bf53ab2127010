//! A receiver of calls: a socket, and what it answers to each request, byte for byte.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

/// A request: its head in lines, its body.
#[derive(Debug)]
pub struct Heard {
    pub head: Vec<String>,
    pub body: String,
}

impl Heard {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.iter().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

pub struct Receiver {
    pub addr: SocketAddr,
    pub heard: mpsc::UnboundedReceiver<Heard>,
    connections: Arc<AtomicUsize>,
}

/// An answer with that status and body.
pub fn answer(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

impl Receiver {
    /// Answers every request with these bytes; with none it stays silent.
    pub async fn start(answer: Vec<u8>) -> Self {
        Self::serve(answer, None, usize::MAX).await
    }

    /// The same, but each connection is closed, without an answer, by the request that comes after so many.
    pub async fn start_closing(answer: Vec<u8>, answers: usize) -> Self {
        Self::serve(answer, None, answers).await
    }

    /// The same over TLS, with the certificate of `tls/`.
    pub async fn start_tls(answer: Vec<u8>) -> Self {
        let chain = vec![CertificateDer::from_pem_slice(include_bytes!("tls/certificate.pem")).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/key.pem")).unwrap();
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
        Self::serve(answer, Some(TlsAcceptor::from(Arc::new(config))), usize::MAX).await
    }

    async fn serve(answer: Vec<u8>, tls: Option<TlsAcceptor>, answers: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (told, heard) = mpsc::unbounded_channel();
        let connections = Arc::new(AtomicUsize::new(0));
        let (count, answer) = (Arc::clone(&connections), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let (told, answer, tls) = (told.clone(), Arc::clone(&answer), tls.clone());
                tokio::spawn(async move { connection(stream, tls, told, (&answer, answers)).await });
            }
        });
        Self { addr, heard, connections }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn connection(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    told: mpsc::UnboundedSender<Heard>,
    answer: (&[u8], usize),
) -> Option<()> {
    match tls {
        None => converse(stream, told, answer).await,
        Some(tls) => converse(tls.accept(stream).await.ok()?, told, answer).await,
    }
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    told: mpsc::UnboundedSender<Heard>,
    (answer, answers): (&[u8], usize),
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    for nth in 0.. {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.ok()?);
        }
        let head: Vec<String> = String::from_utf8(head).ok()?.trim_end().lines().map(str::to_owned).collect();
        let mut request = Heard { head, body: String::new() };
        let mut body = vec![0; request.header("content-length")?.parse().ok()?];
        stream.read_exact(&mut body).await.ok()?;
        request.body = String::from_utf8(body).ok()?;
        told.send(request).ok()?;
        if nth >= answers {
            return None;
        }
        stream.write_all(answer).await.ok()?;
        stream.flush().await.ok()?;
    }
    None
}
