import Glibc
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
        let chain = try Self.certificates(certificateFile)
        let key: NIOSSLPrivateKey
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

    /// - Throws: unless the file holds at least one certificate in PEM.
    package static func checkCertificates(_ file: String) throws(Unusable) { _ = try certificates(file) }

    private static func certificates(_ file: String) throws(Unusable) -> [NIOSSLCertificate] {
        guard access(file, R_OK) == 0 else { throw Unusable(reason: "\(file) cannot be read: \(String(cString: strerror(errno)))") }
        let certificates: [NIOSSLCertificate]
        do { certificates = try NIOSSLCertificate.fromPEMFile(file) } catch {
            throw Unusable(reason: "\(file) holds no certificates in PEM that can be read (\(error))")
        }
        guard !certificates.isEmpty else { throw Unusable(reason: "\(file) holds no certificate") }
        return certificates
    }
}
