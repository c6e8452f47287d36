// The same readings as rows in RocksDB: what a store built on a general key-value engine costs. Built by the benchmark alone.
//
// key   = bucket (u16), device (u32), ~time in ms (u64), big-endian: newest first within a device
// value = for each field a zigzag varint of the decimal's scaled integer, or eight bytes; then the status string with its length
// The device's number stands for its name, which a real store on RocksDB would have to keep a registry for: this favours RocksDB.
//
// usage: rocksdb_store RECORDS PATH sync|nosync QUERIES     (RECORDS: see GenerateCommand.swift)
// Prints one JSON object.

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>

namespace {

constexpr int kCommitters = 3;
constexpr int kBatch = 500;
constexpr int kBuckets = 16;
constexpr size_t kBlockCache = 64 << 20;
constexpr uint32_t kRawDouble = 255;
constexpr uint32_t kNoStatus = 255;
const char* const kStatuses[] = {"ok", "degraded", "charging"};

struct Record {
    int64_t milliseconds;
    uint32_t device;
    uint32_t status;
    double values[4];
};
static_assert(sizeof(Record) == 48, "as GenerateCommand.swift writes it");

[[noreturn]] void fail(const std::string& what) {
    std::fprintf(stderr, "rocksdb_store: %s\n", what.c_str());
    std::exit(1);
}

void check(const rocksdb::Status& status) {
    if (!status.ok()) fail(status.ToString());
}

struct Usage {
    double cpu, wall;
};

Usage now() {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    auto seconds = [](const timeval& t) { return t.tv_sec + t.tv_usec / 1e6; };
    return {seconds(usage.ru_utime) + seconds(usage.ru_stime), time.tv_sec + time.tv_nsec / 1e9};
}

double peak_bytes() {
    FILE* file = std::fopen("/proc/self/status", "r");
    char line[256];
    long kibibytes = 0;
    while (file && std::fgets(line, sizeof line, file)) std::sscanf(line, "VmHWM: %ld", &kibibytes);
    if (file) std::fclose(file);
    return kibibytes * 1024.0;
}

/// The file of records, read in portions so that it does not count as memory.
class Records {
public:
    explicit Records(const char* path) : descriptor_(open(path, O_RDONLY)) {
        struct stat about;
        uint32_t count;
        if (descriptor_ < 0 || fstat(descriptor_, &about) != 0 || pread(descriptor_, &count, 4, 0) != 4 || count > 4) fail("bad records");
        digits_.resize(count);
        if (pread(descriptor_, digits_.data(), 4 * count, 4) != ssize_t(4 * count)) fail("bad records");
        header_ = 4 + 4 * count;
        count_ = (about.st_size - header_) / sizeof(Record);
    }
    ~Records() { close(descriptor_); }

    int64_t count() const { return count_; }
    const std::vector<uint32_t>& digits() const { return digits_; }

    void read(int64_t first, int64_t count, Record* into) const {
        const ssize_t bytes = count * sizeof(Record);
        if (pread(descriptor_, into, bytes, header_ + first * sizeof(Record)) != bytes) fail("records end early");
    }

private:
    int descriptor_;
    std::vector<uint32_t> digits_;
    off_t header_;
    int64_t count_;
};

void append_big_endian(std::string& out, uint64_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; --i) out.push_back(char(value >> (8 * i)));
}

uint64_t big_endian(const char* bytes, int count) {
    uint64_t value = 0;
    for (int i = 0; i < count; ++i) value = value << 8 | uint8_t(bytes[i]);
    return value;
}

void make_prefix(std::string& key, uint32_t device) {
    key.clear();
    append_big_endian(key, device * 2654435761u % kBuckets, 2);
    append_big_endian(key, device, 4);
}

constexpr size_t kPrefix = 6;
constexpr size_t kKey = 14;

class Codec {
public:
    explicit Codec(std::vector<uint32_t> digits) : digits_(std::move(digits)) {}
    size_t fields() const { return digits_.size(); }

    void encode(const Record& record, std::string& key, std::string& value) const {
        make_prefix(key, record.device);
        append_big_endian(key, ~uint64_t(record.milliseconds), 8);
        value.clear();
        for (size_t field = 0; field < digits_.size(); ++field) {
            if (digits_[field] == kRawDouble) {
                value.append(reinterpret_cast<const char*>(&record.values[field]), 8);
                continue;
            }
            const int64_t scaled = std::llround(record.values[field] * kPowers[digits_[field]]);
            for (uint64_t rest = uint64_t(scaled) << 1 ^ uint64_t(scaled >> 63);; rest >>= 7) {
                value.push_back(char((rest & 127) | (rest > 127 ? 128 : 0)));
                if (rest <= 127) break;
            }
        }
        if (record.status != kNoStatus) {
            value.push_back(char(std::strlen(kStatuses[record.status])));
            value.append(kStatuses[record.status]);
        }
    }

    /// The numeric fields; false when the value is damaged.
    bool decode(const rocksdb::Slice& value, double* out) const {
        const char *at = value.data(), *end = at + value.size();
        for (size_t field = 0; field < digits_.size(); ++field) {
            if (digits_[field] == kRawDouble) {
                if (end - at < 8) return false;
                std::memcpy(&out[field], at, 8);
                at += 8;
                continue;
            }
            uint64_t coded = 0;
            int shift = 0;
            do {
                if (at == end || shift > 63) return false;
                coded |= uint64_t(*at & 127) << shift;
                shift += 7;
            } while (*at++ & 128);
            out[field] = double(int64_t(coded >> 1) ^ -int64_t(coded & 1)) / kPowers[digits_[field]];
        }
        return true;
    }

private:
    static constexpr double kPowers[3] = {1, 10, 100};
    std::vector<uint32_t> digits_;
};

rocksdb::DB* open_database(const std::string& path) {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.compression = rocksdb::kZSTD;
    options.compression_opts.level = 3;
    options.compaction_style = rocksdb::kCompactionStyleUniversal;
    options.write_buffer_size = 64 << 20;
    options.max_background_jobs = 2;
    options.prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(kPrefix));
    rocksdb::BlockBasedTableOptions table;
    table.block_size = 16 << 10;
    table.block_cache = rocksdb::NewLRUCache(kBlockCache);
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.whole_key_filtering = false;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    rocksdb::DB* database = nullptr;
    check(rocksdb::DB::Open(options, path, &database));
    return database;
}

/// Every committer takes each third batch.
template <typename Body>
void in_batches(const Records& records, Body body) {
    std::vector<std::thread> threads;
    for (int number = 0; number < kCommitters; ++number) {
        threads.emplace_back([&, number] {
            std::vector<Record> batch(kBatch);
            for (int64_t first = int64_t(number) * kBatch; first < records.count(); first += kCommitters * kBatch) {
                const int64_t count = std::min<int64_t>(kBatch, records.count() - first);
                records.read(first, count, batch.data());
                body(batch.data(), count);
            }
        });
    }
    for (auto& thread : threads) thread.join();
}

struct Totals {
    uint32_t devices = 0;
    int64_t last = INT64_MIN;
};

/// Newest rows of a device, at most `limit`, not older than `oldest`: body(time, fields).
template <typename Body>
int64_t newest(rocksdb::DB* database, const Codec& codec, uint32_t device, int64_t limit, int64_t oldest, Body body) {
    rocksdb::ReadOptions options;
    options.prefix_same_as_start = true;
    std::string prefix;
    make_prefix(prefix, device);
    std::unique_ptr<rocksdb::Iterator> iterator(database->NewIterator(options));
    int64_t rows = 0;
    double fields[4];
    for (iterator->Seek(prefix); iterator->Valid() && rows < limit; iterator->Next()) {
        const int64_t time = int64_t(~big_endian(iterator->key().data() + kPrefix, 8));
        if (time < oldest) break;
        if (!codec.decode(iterator->value(), fields)) fail("a value is damaged");
        body(time, fields);
        ++rows;
    }
    check(iterator->status());
    return rows;
}

void verify(rocksdb::DB* database, const Records& records, const Codec& codec) {
    rocksdb::ReadOptions options;
    options.total_order_seek = true;
    std::unique_ptr<rocksdb::Iterator> iterator(database->NewIterator(options));
    int64_t count = 0;
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
        if (iterator->key().size() != kKey) fail("a key is damaged");
        ++count;
    }
    check(iterator->status());
    iterator.reset();
    if (count != records.count()) fail(std::to_string(count) + " rows instead of " + std::to_string(records.count()));
    // A sample of the values, spread over the file.
    std::string key, expected, found;
    for (int64_t step = 0; step < 1000; ++step) {
        Record record;
        records.read((records.count() - 1) * step / 999, 1, &record);
        codec.encode(record, key, expected);
        check(database->Get({}, key, &found));
        if (found != expected) fail("a value differs");
        double fields[4];
        if (!codec.decode(found, fields) || std::memcmp(fields, record.values, 8 * codec.fields()) != 0) fail("a value is not the same");
    }
}

struct Latencies {
    std::vector<double> microseconds;

    template <typename Body>
    void measure(Body body) {
        const double start = now().wall;
        body();
        microseconds.push_back((now().wall - start) * 1e6);
    }

    void print(const char* name) {
        std::sort(microseconds.begin(), microseconds.end());
        const size_t n = microseconds.size();
        std::printf(", \"%s_p50_us\": %.2f, \"%s_p99_us\": %.2f", name, microseconds[n / 2], name, microseconds[n * 99 / 100]);
    }
};

void ask(rocksdb::DB* database, const Codec& codec, const Totals& totals, int64_t count, int64_t per_device) {
    std::mt19937 random(1);
    auto draw = [&] { return random() % totals.devices; };
    auto ignore = [](int64_t, const double*) {};
    Latencies range, one, thousand, hour;
    for (int64_t round = -count / 4; round < count; ++round) {
        const uint32_t device = draw();
        int64_t rows = 0;
        auto body = [&] { rows = newest(database, codec, device, 100, INT64_MIN, ignore); };
        if (round < 0) body(); else range.measure(body);
        if (rows != std::min<int64_t>(100, per_device)) fail("rows are missing");
    }
    for (int64_t round = 0; round < count; ++round) {
        one.measure([&] { if (newest(database, codec, draw(), 1, INT64_MIN, ignore) != 1) fail("no latest row"); });
    }
    for (int64_t round = 0; round < std::max<int64_t>(10, count / 20); ++round) {
        thousand.measure([&] { for (int i = 0; i < 1000; ++i) newest(database, codec, draw(), 1, INT64_MIN, ignore); });
    }
    const int64_t end = (totals.last / 60000 + 1) * 60000, start = end - 3600000;
    for (int64_t round = 0; round < count / 4; ++round) {
        hour.measure([&] {
            double sums[60][4] = {};
            int64_t counts[60] = {};
            newest(database, codec, draw(), INT64_MAX, start, [&](int64_t time, const double* fields) {
                const int64_t minute = (time - start) / 60000;
                ++counts[minute];
                for (size_t field = 0; field < codec.fields(); ++field) sums[minute][field] += fields[field];
            });
            if (counts[59] == 0) fail("the last minute is empty");
        });
    }
    range.print("range100");
    one.print("latest1");
    thousand.print("latest1000");
    hour.print("hour_by_minute");
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) fail("usage: rocksdb_store RECORDS PATH sync|nosync QUERIES");
    const Records records(argv[1]);
    const Codec codec(records.digits());
    const int64_t queries = std::atoll(argv[4]);
    rocksdb::WriteOptions write;
    write.sync = std::strcmp(argv[3], "sync") == 0;

    const Usage before_reading = now();
    std::atomic<uint32_t> highest{0};
    std::atomic<int64_t> last{INT64_MIN};
    in_batches(records, [&](const Record* batch, int64_t count) {
        for (int64_t i = 0; i < count; ++i) {
            if (batch[i].device > highest) highest = batch[i].device;
            if (batch[i].milliseconds > last) last = batch[i].milliseconds;
        }
    });
    const Usage reading = now();
    const Totals totals{highest + 1, last};

    std::unique_ptr<rocksdb::DB> database(open_database(argv[2]));
    const Usage start = now();
    in_batches(records, [&](const Record* batch, int64_t count) {
        rocksdb::WriteBatch rows;
        std::string key, value;
        for (int64_t i = 0; i < count; ++i) {
            codec.encode(batch[i], key, value);
            check(rows.Put(key, value));
        }
        check(database->Write(write, &rows));
    });
    const Usage committed = now();
    check(database->Flush({}));
    rocksdb::CompactRangeOptions everything;
    everything.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    check(database->CompactRange(everything, nullptr, nullptr));
    const Usage settled = now();
    const double peak = peak_bytes();

    uint64_t bytes = 0;
    if (!database->GetIntProperty("rocksdb.live-sst-files-size", &bytes)) fail("no size");
    verify(database.get(), records, codec);
    std::printf(
        "{\"readings\": %lld, \"commit_cpu_s\": %.6f, \"commit_wall_s\": %.6f, \"cpu_s\": %.6f, \"wall_s\": %.6f, "
        "\"generator_cpu_s\": %.6f, \"peak_bytes\": %.0f, \"settled_bytes\": %llu",
        static_cast<long long>(records.count()), committed.cpu - start.cpu, committed.wall - start.wall, settled.cpu - start.cpu,
        settled.wall - start.wall, reading.cpu - before_reading.cpu, peak, static_cast<unsigned long long>(bytes));
    if (queries > 0) ask(database.get(), codec, totals, queries, records.count() / totals.devices);
    std::printf(", \"verified\": 1}\n");
    return 0;
}
