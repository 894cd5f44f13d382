import Foundation
import NIOSSL

/// A receiver's certificate for receiver.test and 127.0.0.1, signed by an authority that only these tests know; until 2126.
enum TestTLS {
    static func server() throws -> NIOSSLContext {
        let certificate = try NIOSSLCertificate(bytes: Array(certificateText.utf8), format: .pem)
        let key = try NIOSSLPrivateKey(bytes: Array(keyText.utf8), format: .pem)
        return try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: [.certificate(certificate)], privateKey: .privateKey(key)))
    }

    /// A file with the authority's certificate.
    static let authorityFile: String = {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-test-\(UUID().uuidString).pem")
        try? Data(authorityText.utf8).write(to: url)
        return url.path
    }()

    private static let authorityText = """
        -----BEGIN CERTIFICATE-----
        MIIBlzCCAT2gAwIBAgIUHUWMdYkqcxiY4aOfzqePr4mdVpYwCgYIKoZIzj0EAwIw
        IDEeMBwGA1UEAwwVVG9jc2luIHRlc3QgYXV0aG9yaXR5MCAXDTI2MTEyMTE1NDkw
        N1oYDzIxMjYxMDI4MTU0OTA3WjAgMR4wHAYDVQQDDBVUb2NzaW4gdGVzdCBhdXRo
        b3JpdHkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATgsIjkX6Hofj9VvmQXMj4w
        cWQW/YdYXljOoqGfU4cWT8Js7Uh63hFpf+3b8BI9Jzb+TpsjYMLTPDTsYJGe2n63
        o1MwUTAdBgNVHQ4EFgQUpk98D252uihB2RQNWyicKnK0MrEwHwYDVR0jBBgwFoAU
        pk98D252uihB2RQNWyicKnK0MrEwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQD
        AgNIADBFAiEApqW08jJJNzAqivuTxMxL0dXdoLh5hE+qAjRztc5Q3YsCIDfeWwad
        5fppuFOMJcy6tSp+u5d/X6496u7YWHPqgeqq
        -----END CERTIFICATE-----
        """

    private static let certificateText = """
        -----BEGIN CERTIFICATE-----
        MIIBwTCCAWagAwIBAgIUSke1LWIpef7TeYHTwtgyr3pZq5IwCgYIKoZIzj0EAwIw
        IDEeMBwGA1UEAwwVVG9jc2luIHRlc3QgYXV0aG9yaXR5MCAXDTI2MTEyMTE1NDkw
        N1oYDzIxMjYxMDI4MTU0OTA3WjAYMRYwFAYDVQQDDA1yZWNlaXZlci50ZXN0MFkw
        EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEl75bV4rBcbOGGnZ9NjvxxL+clVmFtw/I
        GHdkCp/PT7X7gEeM42gZE4oFoaygoioEvx0hfvkKOGtuZ0iS1bhxv6OBgzCBgDAe
        BgNVHREEFzAVgg1yZWNlaXZlci50ZXN0hwR/AAABMAkGA1UdEwQCMAAwEwYDVR0l
        BAwwCgYIKwYBBQUHAwEwHQYDVR0OBBYEFPz20V75oeNiaG2dhqSq7OAZPrdkMB8G
        A1UdIwQYMBaAFKZPfA9udrooQdkUDVsonCpytDKxMAoGCCqGSM49BAMCA0kAMEYC
        IQCCBgA6BoKdfbmp6fiEnUQcNHpQWZ12X05PjiRUCvEHsgIhANmazGTdMSktGKfA
        8zAggVC8AU/BrhbNhwTgmQPIks+B
        -----END CERTIFICATE-----
        """

    private static let keyText = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg9BSnjKKzd1lAyyVY
        F/tO4aRMphifebiykMgSnRhKQC6hRANCAASXvltXisFxs4Yadn02O/HEv5yVWYW3
        D8gYd2QKn89PtfuAR4zjaBkTigWhrKCiKgS/HSF++Qo4a25nSJLVuHG/
        -----END PRIVATE KEY-----
        """
}
