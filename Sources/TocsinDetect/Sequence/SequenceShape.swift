internal import CTocsinKernels
internal import TocsinCore

/// How large an LSTM autoencoder is: `steps` rows of `features` values, encoder layers of `units`, decoder layers of
/// the same units backwards, a dense layer back to the features.
public struct SequenceShape: Sendable, Equatable {
    /// 1...256.
    public let features: Int
    /// Rows of a sequence, 2...2000.
    public let steps: Int
    /// Of the encoder from its first layer on: 1...4 layers of 1...512 units.
    public let units: [Int]

    /// - Throws: `TocsinError(.configuration)` for numbers outside of their ranges, and where steps times units of all
    ///   layers exceed 100,000 (training needs about 400 bytes for each).
    public init(features: Int, steps: Int, units: [Int]) throws {
        guard (1...256).contains(features), (2...2000).contains(steps), (1...4).contains(units.count),
            units.allSatisfy({ (1...512).contains($0) })
        else {
            throw TocsinError(
                .configuration,
                "A sequence model takes 1 to 256 features, 2 to 2000 steps and 1 to 4 layers of 1 to 512 units, not "
                    + "\(features) features, \(steps) steps and layers of \(units).",
                remedy: "Set LSTM_UNITS and SEQUENCE_LENGTH within these.")
        }
        guard steps * units.reduce(0, +) * 2 <= 100_000 else {
            throw TocsinError(
                .configuration, "\(steps) steps through layers of \(units) units are too many to train.",
                remedy: "Keep SEQUENCE_LENGTH times the sum of LSTM_UNITS at or below 50000.")
        }
        self.features = features
        self.steps = steps
        self.units = units
    }

    /// Units of all LSTM layers, encoder and decoder.
    var layers: [Int] { units + units.reversed() }

    /// Values of one sequence.
    var width: Int { steps * features }

    /// Inputs of LSTM layer `layer`, or of the dense layer behind the last.
    func inputs(of layer: Int) -> Int { layer == 0 ? features : layers[layer - 1] }

    /// Numbers to learn.
    public var weightCount: Int {
        let layers = layers
        let recurrent = layers.indices.reduce(0) { $0 + 4 * layers[$1] * (inputs(of: $1) + layers[$1] + 1) }
        return recurrent + features * (units[0] + 1)
    }

    var kernel: tk_lstm {
        var net = tk_lstm()
        net.features = Int32(features)
        net.steps = Int32(steps)
        net.layers = Int32(2 * units.count)
        net.encoders = Int32(units.count)
        let all = layers.map(Int32.init) + Array(repeating: 0, count: 8 - 2 * units.count)
        net.units = (all[0], all[1], all[2], all[3], all[4], all[5], all[6], all[7])
        return net
    }

    /// Where each weight stands in the kernels' packed order (`tk_lstm`), in the order of `SequenceNetwork.weights`.
    func packedPlaces() -> [Int32] {
        var places: [Int32] = []
        places.reserveCapacity(weightCount)
        var offset = 0
        for (layer, units) in layers.enumerated() {
            let inputs = inputs(of: layer)
            let panel = (inputs + units + 1) * 64
            for rows in [0..<inputs, inputs..<inputs + units, inputs + units..<inputs + units + 1] {
                for gate in 0..<4 {
                    for unit in 0..<units {
                        let start = offset + unit / 16 * panel + gate * 16 + unit % 16
                        for row in rows { places.append(Int32(start + row * 64)) }
                    }
                }
            }
            offset += (units + 15) / 16 * panel
        }
        let panel = (units[0] + 1) * 64
        for rows in [0..<units[0], units[0]..<units[0] + 1] {
            for feature in 0..<features {
                let start = offset + feature / 64 * panel + feature % 64
                for row in rows { places.append(Int32(start + row * 64)) }
            }
        }
        return places
    }
}
