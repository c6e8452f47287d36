import NIOSSL

/// A certificate with its chain and its key, checked and ready for connections: TLS 1.2 at least, HTTP/1.1.
package struct TLSIdentity: Sendable {
    package struct Unusable: Error, Sendable {
        /// `cert.pem: …`
        package let reason: String
    }

    let context: NIOSSLContext

    /// - Parameters: PEM files; the certificate's own first in its file, then what signed it.
    package init(certificateFile: String, keyFile: String) throws(Unusable) {
        let chain: [NIOSSLCertificate]
        let key: NIOSSLPrivateKey
        do { chain = try NIOSSLCertificate.fromPEMFile(certificateFile) } catch {
            throw Unusable(reason: "\(certificateFile) holds no certificates in PEM that can be read (\(error))")
        }
        guard !chain.isEmpty else { throw Unusable(reason: "\(certificateFile) holds no certificate") }
        do { key = try NIOSSLPrivateKey(file: keyFile, format: .pem) } catch {
            throw Unusable(reason: "\(keyFile) holds no private key in PEM, without a passphrase, that can be read (\(error))")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        do { context = try NIOSSLContext(configuration: configuration) } catch {
            throw Unusable(reason: "\(keyFile) is not the key of the certificate in \(certificateFile) (\(error))")
        }
    }
}
