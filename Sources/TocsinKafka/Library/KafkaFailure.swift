internal import CKafka
internal import TocsinCore

/// What librdkafka says, before it is put into words for people.
struct KafkaFailure: Error, Equatable {
    var code: Int32
    var text: String

    init(_ code: Int32, _ text: String? = nil) {
        self.code = code
        let words = text ?? ""
        self.text = words.isEmpty ? tkf_error_text(code).map { String(cString: $0) } ?? "error \(code)" : words
    }

    /// As the manual names it: "_ALL_BROKERS_DOWN".
    var name: String { tkf_error_name(code).map { String(cString: $0) } ?? "\(code)" }

    var isAuthentication: Bool {
        [TKF_ERR_AUTHENTICATION, TKF_ERR_SASL_AUTHENTICATION_FAILED, TKF_ERR_UNSUPPORTED_SASL_MECHANISM, TKF_ERR_SSL]
            .contains(code)
    }
    var isAuthorization: Bool {
        [
            TKF_ERR_TOPIC_AUTHORIZATION_FAILED, TKF_ERR_GROUP_AUTHORIZATION_FAILED,
            TKF_ERR_CLUSTER_AUTHORIZATION_FAILED,
        ].contains(code)
    }
    /// The brokers cannot be reached, as far as this error knows.
    var isConnection: Bool {
        [TKF_ERR_ALL_BROKERS_DOWN, TKF_ERR_TRANSPORT, TKF_ERR_RESOLVE, TKF_ERR_TIMED_OUT].contains(code)
            || isAuthentication
    }

    /// The group is changing: what was asked is asked again when it has settled, or by the next owner.
    var isRebalance: Bool {
        [TKF_ERR_REBALANCE_IN_PROGRESS, TKF_ERR_ILLEGAL_GENERATION, TKF_ERR_UNKNOWN_MEMBER].contains(code)
    }

    /// No broker is left, or none lets us in.
    var isOutage: Bool { code == TKF_ERR_ALL_BROKERS_DOWN || isAuthentication }

    /// A sentence with what to do, free of the secrets in `secrets`.
    func error(place: String, secrets: KafkaSecrets = KafkaSecrets()) -> TocsinError {
        let (meaning, remedy, isRetriable) = explanation
        return TocsinError(
            .kafka, secrets.masked("\(meaning): \(text) (\(name))"), place: place, remedy: remedy,
            isRetriable: isRetriable)
    }

    private var explanation: (meaning: String, remedy: String?, isRetriable: Bool) {
        switch code {
        case TKF_ERR_ALL_BROKERS_DOWN, TKF_ERR_TRANSPORT, TKF_ERR_RESOLVE:
            ("the brokers cannot be reached", "Check the addresses and that the brokers run; it is tried again.", true)
        case TKF_ERR_SSL:
            (
                "the TLS connection cannot be made",
                "Check `security.protocol`, `ssl.ca.location` and the certificates.", true
            )
        case TKF_ERR_AUTHENTICATION, TKF_ERR_SASL_AUTHENTICATION_FAILED:
            ("the brokers refuse the login", "Check `sasl.mechanism`, user name and password.", true)
        case TKF_ERR_UNSUPPORTED_SASL_MECHANISM:
            ("the brokers do not offer this kind of login", "Choose another `sasl.mechanism`.", true)
        case TKF_ERR_TOPIC_AUTHORIZATION_FAILED:
            ("the user may not use the topic", "Give it the right: READ to consume, WRITE to produce.", true)
        case TKF_ERR_GROUP_AUTHORIZATION_FAILED:
            ("the user may not use the consumer group", "Give it the right READ on the group.", true)
        case TKF_ERR_CLUSTER_AUTHORIZATION_FAILED:
            ("the user lacks a right on the cluster", "Idempotent producers need IDEMPOTENT_WRITE.", true)
        case TKF_ERR_UNKNOWN_TOPIC, TKF_ERR_UNKNOWN_TOPIC_OR_PARTITION, TKF_ERR_UNKNOWN_PARTITION:
            ("the topic or partition does not exist", "Create the topic; it is waited for.", true)
        case TKF_ERR_MESSAGE_TIMED_OUT, TKF_ERR_TIMED_OUT:
            ("no answer came in time", nil, true)
        case TKF_ERR_QUEUE_FULL:
            ("too much waits to be sent", nil, true)
        case TKF_ERR_NOT_ENOUGH_REPLICAS:
            ("too few replicas are in step", "Check the brokers of this topic.", true)
        case TKF_ERR_MESSAGE_TOO_LARGE:
            (
                "the message is larger than allowed",
                "Raise `message.max.bytes` here, and on the broker or its topic.", false
            )
        case TKF_ERR_FENCED_INSTANCE, TKF_ERR_FENCED:
            (
                "another process uses the same instance id",
                "Give every process of the group its own `instanceID`, or none.", false
            )
        case TKF_ERR_FATAL:
            ("the client cannot go on", "Start it again; please report this if it comes back.", false)
        default:
            ("Kafka reports an error", nil, code < 0 || code > 3)
        }
    }
}
