import Testing
import TocsinConfiguration

@Suite("Secrets")
struct SecretTests {
    private let yaml = """
        alerts:
          webhooks:
            - url: https://user:hunter2@hooks.example.com:8443/T0/B0/hunter2?k=hunter2
              secret: hunter2
              headers:
                Authorization: Bearer hunter2
                X-Plant: hunter2
        """

    @Test func areReadButNeverShown() throws {
        let loaded = try load(yaml)
        let webhook = try #require(loaded.configuration.alerts.webhooks.first)
        #expect(webhook.secret?.value == "hunter2")
        #expect(webhook.headers["Authorization"]?.value == "Bearer hunter2")
        #expect(webhook.url.value == "https://user:hunter2@hooks.example.com:8443/T0/B0/hunter2?k=hunter2")
        #expect("\(webhook.url)" == "https://****@hooks.example.com:8443/****")
        var dumped = ""
        dump(loaded.configuration, to: &dumped)
        let described = ["\(loaded.configuration)", String(reflecting: loaded.configuration)]
        for text in [loaded.effective, dumped] + described {
            #expect(!text.contains("hunter2"))
        }
        #expect(loaded.effective.contains("secret: \"****\""))
        #expect(loaded.effective.contains("Authorization: \"****\""))
    }

    @Test func areMaskedInErrors() throws {
        let bad = yaml.replacing("https://user", with: "gopher://user")
        let found = try problems(bad)
        #expect(found.count == 1)
        #expect(!found.joined().contains("hunter2"))
        let text = try problems("server: {port: 'amqp://me:hunter2@host/x'}")
        #expect(text.first?.contains("amqp://me:****@host/x") == true, "\(text)")
    }

    @Test func canComeFromAFile() throws {
        let secret = try TemporaryFile("s3cret\n")
        let environment = [
            "ALERTS_WEBHOOKS_0_URL": "https://example.com/x", "ALERTS_WEBHOOKS_0_SECRET_FILE": secret.path,
        ]
        let loaded = try load("", environment: environment)
        #expect(loaded.configuration.alerts.webhooks.first?.secret?.value == "s3cret")
        #expect(
            loaded.origins["alerts.webhooks.0.secret"]
                == .environmentFile(variable: "ALERTS_WEBHOOKS_0_SECRET_FILE", path: secret.path))
        #expect(!loaded.effective.contains("s3cret"))
    }

    /// A password may hold a comma.
    @Test func aMapInAFileHasAnEntryInEachLine() throws {
        let file = try TemporaryFile("# of the plant's cluster\n\nsasl.username=tocsin\r\n  sasl.password = a,b=c \n")
        let loaded = try load(
            "kafka: {properties: {security.protocol: SASL_SSL, sasl.username: other}}",
            environment: ["KAFKA_PROPERTIES_FILE": file.path])
        let properties = loaded.configuration.kafka.properties.mapValues(\.value)
        #expect(
            properties == ["security.protocol": "SASL_SSL", "sasl.username": "tocsin", "sasl.password": "a,b=c"])
        #expect(!loaded.effective.contains("a,b"))
        let bad = try TemporaryFile("sasl.password\n")
        let found = try problems("", environment: ["KAFKA_PROPERTIES_FILE": bad.path])
        #expect(found.count == 1 && found[0].contains("KAFKA_PROPERTIES_FILE"), "\(found)")
    }

    @Test func onlySecretsComeFromFiles() throws {
        #expect(try load("", environment: ["SERVER_PORT_FILE": "/nowhere"]).configuration.server.port == 8080)
    }

    @Test func aMissingFileAndADoubleSecretAreErrors() throws {
        let base = ["ALERTS_WEBHOOKS_0_URL": "https://example.com/x"]
        let missing = base.merging(["ALERTS_WEBHOOKS_0_SECRET_FILE": "/nowhere/secret"]) { $1 }
        #expect(try problems("", environment: missing).first?.contains("there is no such file") == true)
        let both = missing.merging(["ALERTS_WEBHOOKS_0_SECRET": "x"]) { $1 }
        #expect(
            try problems("", environment: both).first?
                .contains("both ALERTS_WEBHOOKS_0_SECRET and ALERTS_WEBHOOKS_0_SECRET_FILE are set") == true)
        let endless = base.merging(["ALERTS_WEBHOOKS_0_SECRET_FILE": "/dev/zero"]) { $1 }
        #expect(try problems("", environment: endless).first?.contains("longer than 64KiB") == true)
    }

    @Test(arguments: [
        ("postgres://me:pw@db:5432/x", "postgres://me:****@db:5432/x"), ("a b", "a b"), ("me@host", "me@host"),
        ("see redis://:pw@h now", "see redis://:****@h now"), ("https://h/p?q=a@b", "https://h/p?q=a@b"),
        ("x://a:b@c@d", "x://a:****@d"), ("://:@", ":///****"),
    ])
    func passwordsInAddressesAreMasked(text: String, expected: String) {
        if text == "://:@" {
            // Only that it does not trap: it is no address.
            _ = CredentialMask.maskingPasswords(in: text)
        } else {
            #expect(CredentialMask.maskingPasswords(in: text) == expected)
        }
    }

    @Test func namesOfSecretsAreKnown() {
        for name in ["password", "db_password", "API-Key", "accessToken", "Authorization", "client.secret", "Cookie"] {
            #expect(CredentialMask.isSecretName(name), "\(name)")
        }
        for name in ["sensor", "host", "pass_count", "keys", "author"] {
            #expect(!CredentialMask.isSecretName(name), "\(name)")
        }
    }
}
