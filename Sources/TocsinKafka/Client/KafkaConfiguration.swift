internal import CKafka
internal import TocsinCore

/// The properties of a client to be made: owner of librdkafka's configuration object.
final class KafkaConfiguration {
    private var pointer: OpaquePointer?
    private let secrets: KafkaSecrets

    init(secrets: KafkaSecrets) {
        pointer = tkf_conf_new()
        self.secrets = secrets
    }

    deinit { if let pointer { tkf_conf_destroy(pointer) } }

    /// - Parameter key: the place of the value in the user's configuration, for the error.
    /// - Throws: `TocsinError(.configuration)` with librdkafka's words for an unknown property or a bad value.
    func set(_ name: String, _ value: String, key: String? = nil) throws {
        guard let pointer else { return }
        var text = [CChar](repeating: 0, count: 512)
        let result = tkf_conf_set(pointer, name, value, &text, text.count)
        guard result != TKF_CONF_OK else { return }
        let reason = secrets.masked(Self.string(text))
        let remedy =
            if result == TKF_CONF_UNKNOWN {
                "Check the name: librdkafka's CONFIGURATION.md lists them all."
            } else if reason.contains("not supported in this build") {
                "Name a librdkafka that was built with it, as that of Confluent's packages is: kafka.library."
            } else {
                "Check the value."
            }
        throw TocsinError(.configuration, reason, place: key ?? name, remedy: remedy)
    }

    /// For properties that not every version of the library has.
    func setIfKnown(_ name: String, _ value: String) {
        if let pointer { _ = tkf_conf_set(pointer, name, value, nil, 0) }
    }

    func prepare(_ body: (OpaquePointer) -> Void) { if let pointer { body(pointer) } }

    /// Makes the client; the configuration is used up.
    func makeClient(_ kind: Int32, place: String) throws -> OpaquePointer {
        var text = [CChar](repeating: 0, count: 512)
        guard let pointer, let client = tkf_new(kind, pointer, &text, text.count) else {
            throw TocsinError(
                .configuration, "the Kafka client cannot be made: \(secrets.masked(Self.string(text)))", place: place,
                remedy: "Check the properties.")
        }
        self.pointer = nil
        return client
    }

    static func string(_ text: [CChar]) -> String {
        String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
