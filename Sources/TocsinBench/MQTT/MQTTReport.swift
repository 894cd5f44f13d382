internal import TocsinCore
internal import TocsinMeasure

/// Speeds at one quality of service.
struct MQTTFigure: Sendable {
    let qos: Int
    let messages: Int
    let payloadBytes: Int
    /// Messages a second.
    private(set) var scored = Spread()
    private(set) var counted = Spread()
    /// Of each pair of runs: scored to counted.
    private(set) var ratio = Spread()
    /// Microseconds a message.
    private(set) var cpu = Spread()
    private(set) var brokerCPU = Spread()
    private(set) var brokerCPUCounted = Spread()

    init(qos: Int, messages: Int, payloadBytes: Int) {
        self.qos = qos
        self.messages = messages
        self.payloadBytes = payloadBytes
    }

    mutating func add(_ ours: MQTTRun, limit: MQTTRun) {
        let count = Double(messages)
        scored.add(count / ours.seconds)
        counted.add(count / limit.seconds)
        ratio.add(limit.seconds / ours.seconds)
        cpu.add(ours.cpuSeconds / count * 1e6)
        brokerCPU.add(ours.brokerCPUSeconds / count * 1e6)
        brokerCPUCounted.add(limit.brokerCPUSeconds / count * 1e6)
    }
}

/// What `MQTTBench` found.
public struct MQTTReport: Sendable {
    /// The broker was started for the measurement.
    let isOwnBroker: Bool
    var figures: [MQTTFigure] = []

    init(isOwnBroker: Bool) { self.isOwnBroker = isOwnBroker }

    /// For people.
    public var text: String {
        let broker = isOwnBroker ? "Mosquitto on this machine" : "a broker that was running"
        var lines = [
            Machine.current().line,
            "\(broker), \(Figure.grouped(MQTTBenchSettings.sensors)) sensors, one reading a message",
        ]
        for figure in figures {
            lines += [
                "",
                "QoS \(figure.qos), \(Figure.grouped(figure.messages)) messages of \(figure.payloadBytes) bytes; median of "
                    + "\(figure.scored.values.count)",
                "  scored and stored    \(figure.scored.text()) messages/s",
                "  only counted         \(figure.counted.text()) messages/s: the broker's limit here",
                "  ratio                \(figure.ratio.text(digits: 2))",
                "  CPU a message        \(figure.cpu.text(digits: 2)) µs of the program",
            ]
            guard isOwnBroker else { continue }
            lines.append(
                "                       \(figure.brokerCPU.text(digits: 2)) µs of the broker, "
                    + "\(figure.brokerCPUCounted.text(digits: 2)) µs where messages are only counted")
        }
        return lines.joined(separator: "\n")
    }

    /// One JSON object and an end of line.
    public var json: [UInt8] {
        var json = JSONWriter()
        json.object {
            ReportFile.begin("mqtt", &$0)
            $0.field("sensors", MQTTBenchSettings.sensors)
            $0.key("qualities")
            $0.array { list in
                for figure in figures {
                    list.object {
                        $0.field("qos", figure.qos)
                        $0.field("messages", figure.messages)
                        $0.field("payload_bytes", figure.payloadBytes)
                        figure.scored.write("messages_per_second", to: &$0)
                        figure.counted.write("counted_per_second", to: &$0)
                        figure.ratio.write("ratio", to: &$0)
                        figure.cpu.write("cpu_us_per_message", to: &$0)
                        figure.brokerCPU.write("broker_cpu_us_per_message", to: &$0)
                    }
                }
            }
        }
        json.newline()
        return json.bytes
    }
}
