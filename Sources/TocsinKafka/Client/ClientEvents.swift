internal import CKafka
internal import Synchronization

/// What the library calls back, kept until the thread that polls looks at it.
final class ClientEvents: Sendable {
    enum Event: Sendable {
        case assigned([TopicPartition])
        /// Lost: the group has gone on without this process, others may be reading already.
        case revoked([TopicPartition], isLost: Bool)
        case committed(KafkaFailure?, [PartitionOffset])
        case failed(KafkaFailure)
    }

    private let waiting = Mutex<[Event]>([])
    private let onLog: @Sendable (Int, String) -> Void

    init(onLog: @escaping @Sendable (Int, String) -> Void) { self.onLog = onLog }

    func take() -> [Event] {
        waiting.withLock { waiting in
            defer { waiting.removeAll() }
            return waiting
        }
    }

    private func add(_ event: Event) { waiting.withLock { $0.append(event) } }

    /// Makes the library call this object, which must outlive the client.
    func register(_ configuration: KafkaConfiguration, isConsumer: Bool) {
        configuration.prepare { conf in
            tkf_conf_set_opaque(conf, Unmanaged.passUnretained(self).toOpaque())
            tkf_conf_set_error(conf) { client, code, text, opaque in
                var failure = KafkaFailure(code, text.map { String(cString: $0) })
                if code == TKF_ERR_FATAL {
                    var words = [CChar](repeating: 0, count: 512)
                    let original = tkf_fatal_error(client, &words, words.count)
                    failure = KafkaFailure(
                        original == TKF_ERR_FENCED_INSTANCE ? original : TKF_ERR_FATAL,
                        KafkaConfiguration.string(words))
                }
                ClientEvents.at(opaque)?.add(.failed(failure))
            }
            tkf_conf_set_log(conf) { client, level, facility, text in
                guard let client, let events = ClientEvents.at(tkf_opaque(client)) else { return }
                let words = text.map { String(cString: $0) } ?? ""
                events.onLog(Int(level), "\(facility.map { String(cString: $0) } ?? ""): \(words)")
            }
            guard isConsumer else { return }
            tkf_conf_set_rebalance(conf) { client, code, list, opaque in
                let partitions = PartitionList.items(list).map(\.partition)
                let isLost = tkf_assignment_lost(client) != 0
                ClientEvents.at(opaque)?.add(
                    code == TKF_ERR_ASSIGN_PARTITIONS
                        ? .assigned(partitions) : .revoked(partitions, isLost: isLost))
            }
            tkf_conf_set_commit(conf) { _, code, list, opaque in
                let failure = code == 0 || code == TKF_ERR_NO_OFFSET ? nil : KafkaFailure(code)
                ClientEvents.at(opaque)?.add(.committed(failure, PartitionList.items(list)))
            }
        }
    }

    private static func at(_ opaque: UnsafeMutableRawPointer?) -> ClientEvents? {
        opaque.map { Unmanaged<ClientEvents>.fromOpaque($0).takeUnretainedValue() }
    }
}
