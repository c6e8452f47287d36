/// One reading as numbers, before any engine's encoding.
struct Sample {
    var milliseconds: Int64
    /// By field: the decimal's or integer's scaled value; unused for noise.
    var scaled = SIMD4<Int32>()
    /// By field, for noise.
    var doubles = SIMD4<Double>()
    var status = 0

    /// The field's value as every engine gets it.
    func double(_ field: Int, digits: Int) -> Double { Double(scaled[field]) / Generator.powers[digits] }
}

/// The readings of one device, one after the other, from a seed: integer arithmetic, and for noise additions and products of
/// doubles alone, so that they are the same on every machine.
struct Generator {
    static let statuses: [[UInt8]] = ["ok", "degraded", "charging"].map { Array($0.utf8) }
    static let powers: [Double] = [1, 10, 100]

    private let variant: Variant
    private let step: Int64
    private var milliseconds = DataSet.firstMilliseconds
    private var random: UInt64
    private var temperature: Int32
    private var humidity: Int32
    private var battery: Int32
    private let signal: Int32
    private var status = 0
    /// A point that goes round a circle, one for each noise field.
    private var cosine = SIMD4<Double>(1, 0.6, -0.8, 0)
    private var sine = SIMD4<Double>(0, 0.8, 0.6, -1)

    init(device: Int, of set: DataSet) {
        variant = set.variant
        step = set.stepMilliseconds
        random = Generator.mixed(set.seed &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(device) &+ 1)
        temperature = 1_500 + Int32(random % 1_500)
        humidity = 300 + Int32(random >> 16 % 500)
        battery = 20 + Int32(random >> 32 % 81)
        signal = -50 - Int32(random >> 48 % 40)
    }

    mutating func next() -> Sample {
        let draw = nextRandom()
        var sample = Sample(milliseconds: milliseconds)
        milliseconds += step
        if variant == .noise {
            sample.doubles = nextNoise(draw)
            return sample
        }
        temperature = min(8_500, max(-4_000, temperature + bit(draw, 0) - bit(draw, 1)))
        if draw >> 2 & 3 == 0 { humidity = min(1_000, max(0, humidity + 1 - 2 * bit(draw, 4))) }
        if draw >> 5 & 511 == 0 { battery = battery > 1 ? battery - 1 : 100 }
        // Triangular, -7...7 dBm about the device's own strength.
        let noise = Int32(truncatingIfNeeded: draw >> 14 & 7) - Int32(truncatingIfNeeded: draw >> 17 & 7)
        if draw >> 20 & 255 == 0 { status = Int(draw >> 28 & 3) % 3 }
        if variant == .jitter { sample.milliseconds += Int64(draw >> 32 & 31) + Int64(draw >> 40 & 7) }
        sample.scaled = SIMD4(temperature, humidity, battery, signal + noise)
        sample.status = status
        return sample
    }

    /// A sine of about 400 steps and amplitude 10 to 25, plus bell-shaped noise of deviation 0.6 or so (twelve-bit sums of four).
    private mutating func nextNoise(_ draw: UInt64) -> SIMD4<Double> {
        let (c, s) = (0.999_876_632_481_661, 0.015_707_317_311_820_7)
        (cosine, sine) = (cosine * c - sine * s, sine * c + cosine * s)
        var noise = SIMD4<Double>()
        var draw = draw
        for lane in 0..<4 {
            var sum: UInt64 = 0
            for _ in 0..<4 {
                sum += draw >> 11
                draw = nextRandom()
            }
            noise[lane] = (Double(sum) * 0x1p-53 - 2) * 1.03
        }
        return SIMD4(20, 50, 100, 1_000) + sine * SIMD4(10, 15, 20, 25) + noise
    }

    @inline(__always) private func bit(_ draw: UInt64, _ index: UInt64) -> Int32 { Int32(truncatingIfNeeded: draw >> index & 1) }

    /// xorshift64* (Vigna 2016).
    private mutating func nextRandom() -> UInt64 {
        random ^= random >> 12
        random ^= random << 25
        random ^= random >> 27
        return random &* 0x2545_F491_4F6C_DD1D
    }

    /// splitmix64's finaliser: neighbouring devices begin far apart. Never 0.
    private static func mixed(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return (z ^ z >> 31) | 1
    }
}
