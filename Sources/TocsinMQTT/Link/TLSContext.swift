internal import NIOSSL
internal import TocsinCore

extension TLSSettings {
    /// Reads the files; errors name the one at fault.
    func makeContext() throws(TocsinError) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let authorities {
            let roots = try Self.load("certificates", authorities) { try NIOSSLCertificate.fromPEMFile(authorities) }
            guard !roots.isEmpty else {
                throw TocsinError(
                    .configuration, "the file holds no certificate", place: authorities, remedy: "give a PEM file")
            }
            configuration.trustRoots = .certificates(roots)
        }
        guard (certificate == nil) == (key == nil) else {
            throw TocsinError(
                .configuration, "mutual TLS needs both a certificate and a key", place: certificate ?? key,
                remedy: "set tls.certificate and tls.key")
        }
        if let certificate, let key {
            configuration.certificateChain = try Self.load("certificates", certificate) {
                try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) }
            }
            configuration.privateKey = try Self.load("private key", key) {
                .privateKey(try NIOSSLPrivateKey(file: key, format: .pem))
            }
        }
        configuration.applicationProtocols = protocols
        if allowsAnyCertificate { configuration.certificateVerification = .none }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw TocsinError(
                .configuration, "the TLS settings do not fit together", remedy: "check tls.certificate and tls.key",
                cause: error)
        }
    }

    private static func load<Result>(
        _ what: String, _ path: String, _ body: () throws -> Result
    ) throws(TocsinError) -> Result {
        do {
            return try body()
        } catch {
            throw TocsinError(
                .file, "the \(what) cannot be read", place: path, remedy: "give a readable PEM file", cause: error)
        }
    }
}
