// SPDX-License-Identifier: Apache-2.0
// JPEG, baseline and progressive. stb_image decodes the entropy coding; transform, upsampling and color are ours, to the
// last bit as libjpeg-turbo does it by default (the accurate integer transform, triangle-filtered chroma, 16-bit
// fixed-point color), so that a photo gives a model the same input here as in training. The methods are those of the
// Independent JPEG Group's jidctint.c, jdsample.c and jdcolor.c, written anew. stb_image has no interface for this, so its
// internal functions are used, and its version is pinned.
#include <algorithm>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_JPEG
#define STBI_NO_STDIO
#define STBI_NO_SIMD
#define STBI_FAILURE_USERMSG
#define STBI_ASSERT(condition) static_cast<void>(condition)
// Zeroed, so that the missing parts of a damaged file are the same every time, not what the memory held before.
#define STBI_MALLOC(bytes) vitrine::TakeJpegMemory(bytes)
#define STBI_REALLOC(memory, bytes) std::realloc(memory, bytes)  // PNG only
#define STBI_FREE(memory) vitrine::FreeJpegMemory(memory)
#include "runtime/base/memory.h"
#include "runtime/base/status.h"
#include "runtime/image/decode/decoders.h"
#include "runtime/image/decode/jpeg.h"
#include "runtime/image/decode/jpeg_stb.h"
#include "stb_image.h"

namespace vitrine {
namespace {

/// One color component as the file stores it, at its own resolution.
struct JpegPlane {
  const uint8_t* samples = nullptr;
  int width = 0;  ///< samples of the picture; a row may have more
  int height = 0;
  int stride = 0;
  int across = 1;  ///< pixels per sample, horizontally: 1 to 4
  int down = 1;    ///< pixels per sample, vertically
};

/// Returns the existing row of a plane that is nearest to y.
const uint8_t* RowAt(const JpegPlane& plane, int y) {
  return plane.samples + static_cast<ptrdiff_t>(std::clamp(y, 0, plane.height - 1)) * plane.stride;
}

/// Doubles the height: 3/4 of the near row plus 1/4 of the far row.
void MixRowPair(const uint8_t* near, const uint8_t* far, int width, int bias, uint8_t* out) {
  for (int x = 0; x < width; ++x) out[x] = static_cast<uint8_t>((3 * near[x] + far[x] + bias) >> 2);
}

void RepeatSamples(const uint8_t* in, int width, int times, uint8_t* out) {
  for (int x = 0; x < width; ++x, out += times) std::fill_n(out, times, in[x]);
}

/// Returns a * b / 255, rounded.
int MultiplyFractions(int a, int b) {
  const int product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

/// Returns row y of the picture at full resolution: a row of the plane itself, or `row`, which has room for plane.width *
/// plane.across bytes. Factors of two are filtered with weights 3/4 and 1/4; other factors repeat samples.
const uint8_t* UpsampleRow(const JpegPlane& plane, int y, uint8_t* row) {
  const int sample_y = y / plane.down;
  const uint8_t* near = RowAt(plane, sample_y);
  const bool upper = y % 2 == 0;
  const uint8_t* far = RowAt(plane, upper ? sample_y - 1 : sample_y + 1);
  if (plane.across == 1 && plane.down == 1) return near;
  if (plane.across == 2 && plane.down == 1 && plane.width > 2) {
    WidenRow(near, plane.width, row);
  } else if (plane.across == 1 && plane.down == 2) {
    MixRowPair(near, far, plane.width, upper ? 1 : 2, row);
  } else if (plane.across == 2 && plane.down == 2 && plane.width > 2) {
    WidenRowPair(near, far, plane.width, row);
  } else {
    RepeatSamples(near, plane.width, plane.across, row);
  }
  return row;
}

/// Converts `count` pixels of inverted CMYK, as Adobe writes it, to packed RGB without a color profile, as Pillow does. If
/// `is_ycck`, the first three planes are Y, Cb, Cr of the inks.
void CmykToRgb(const uint8_t* const planes[4], bool is_ycck, int count, uint8_t* rgb) {
  if (is_ycck) YccToRgb(planes[0], planes[1], planes[2], count, rgb);
  for (int i = 0; i < count; ++i, rgb += 3) {
    const int white = planes[3][i];
    for (int channel = 0; channel < 3; ++channel) {
      const int ink = is_ycck ? rgb[channel] : 255 - planes[channel][i];
      rgb[channel] = static_cast<uint8_t>(white - MultiplyFractions(ink, white));
    }
  }
}

/// stb_image's decoder with its source and the planes that it allocates.
struct Decoder {
  explicit Decoder(std::span<const uint8_t> bytes) {
    stbi__start_mem(&source, bytes.data(), static_cast<int>(bytes.size()));
    source.img_n = 0;
    std::memset(&jpeg, 0, sizeof jpeg);
    jpeg.idct_block_kernel = InverseTransform;
    LoadStandardTables();
  }
  ~Decoder() { stbi__cleanup_jpeg(&jpeg); }

  int width() const { return static_cast<int>(source.img_x); }
  int height() const { return static_cast<int>(source.img_y); }

  /// Reads the segment of standard tables as if the file began with it; the file's own tables replace them.
  void LoadStandardTables() {
    stbi__context tables;
    stbi__start_mem(&tables, kStandardHuffmanTables, sizeof kStandardHuffmanTables);
    jpeg.s = &tables;
    stbi__process_marker(&jpeg, 0xC4);
    jpeg.s = &source;
  }

  stbi__context source;
  stbi__jpeg jpeg;
};

struct FreeMemory {
  void operator()(void* memory) const { FreeJpegMemory(memory); }
};

struct DestroyDecoder {
  void operator()(Decoder* decoder) const {
    decoder->~Decoder();
    FreeJpegMemory(decoder);
  }
};

Status Damaged(const char* what) {
  return Status::Error(Code::kInvalidImage, "JPEG cannot be decoded: %s", what);
}

Status DamagedAsStbSays() {
  const char* reason = stbi_failure_reason();
  return Damaged(reason == nullptr ? "it is damaged" : reason);
}

/// Decodes every scan up to the end of the image into the planes. Scans are counted because a small file can
/// ask for any number of them: 2^32 pixels in all, which is 20 for the largest picture, is more than any real
/// file has.
Status DecodeScans(Decoder* decoder) {
  stbi__jpeg* jpeg = &decoder->jpeg;
  const int64_t pixels = int64_t{decoder->width()} * decoder->height();
  int64_t allowed_scans = std::min((int64_t{1} << 32) / pixels + 4, int64_t{1000});
  uint8_t marker = stbi__get_marker(jpeg);
  while (!stbi__EOI(marker)) {
    if (stbi__SOS(marker)) {
      if (--allowed_scans < 0) return Damaged("it has too many scans");
      if (!stbi__process_scan_header(jpeg) || !stbi__parse_entropy_coded_data(jpeg))
        return DamagedAsStbSays();
      if (jpeg->marker == STBI__MARKER_none) jpeg->marker = stbi__skip_jpeg_junk_at_end(jpeg);
      marker = stbi__get_marker(jpeg);
      if (STBI__RESTART(marker)) marker = stbi__get_marker(jpeg);
    } else {
      if (!stbi__process_marker(jpeg, marker)) return DamagedAsStbSays();
      marker = stbi__get_marker(jpeg);
    }
  }
  if (jpeg->progressive) stbi__jpeg_finish(jpeg);
  return {};
}

enum class Color { kGray, kYcc, kRgb, kCmyk, kYcck };

/// What the planes mean, by libjpeg's rules: the JFIF marker, then Adobe's, then the components' names.
Color ColorOf(const Decoder& decoder) {
  constexpr int kNoAdobe = -1;
  const stbi__jpeg& jpeg = decoder.jpeg;
  const int adobe = jpeg.app14_color_transform;
  switch (decoder.source.img_n) {
    case 1:
      return Color::kGray;
    case 4:
      return adobe == kNoAdobe || adobe == 0 ? Color::kCmyk : Color::kYcck;
    default:
      break;
  }
  if (jpeg.jfif) return Color::kYcc;
  if (adobe != kNoAdobe) return adobe == 0 ? Color::kRgb : Color::kYcc;
  return jpeg.rgb == 3 ? Color::kRgb : Color::kYcc;
}

void ToRgb(Color color, const uint8_t* const planes[4], int count, uint8_t* rgb) {
  switch (color) {
    case Color::kYcc:
      return YccToRgb(planes[0], planes[1], planes[2], count, rgb);
    case Color::kCmyk:
    case Color::kYcck:
      return CmykToRgb(planes, color == Color::kYcck, count, rgb);
    case Color::kGray:
    case Color::kRgb:
      break;
  }
  const bool gray = color == Color::kGray;
  for (int i = 0; i < count; ++i, rgb += 3) {
    rgb[0] = planes[0][i];
    rgb[1] = planes[gray ? 0 : 1][i];
    rgb[2] = planes[gray ? 0 : 2][i];
  }
}

/// The samples of a plane that pixels [x, x + count) are made of: with the neighbours that upsampling looks
/// at. `*skip` is how many pixels of the result come before x.
JpegPlane PartOf(JpegPlane plane, int x, int count, int* skip) {
  constexpr int kNeighbours = 2;
  const int begin = std::max(0, x / plane.across - kNeighbours);
  const int end = std::min(plane.width, (x + count - 1) / plane.across + 1 + kNeighbours);
  *skip = x - begin * plane.across;
  plane.samples += begin;
  plane.width = end - begin;
  return plane;
}

size_t UpsampledBytes(const Decoder& decoder) {
  return RoundUp(static_cast<size_t>(decoder.width()) + 4);  // upsampling rounds up, by less than 4
}

/// What ReadRgbRow() needs of memory: a row of each of four planes, and one of RGB.
size_t RowScratchBytes(const Decoder& decoder) { return 7 * UpsampledBytes(decoder); }

/// Returns pixels [x, x + count) of row y as packed RGB, in `scratch`.
const uint8_t* ReadRgbRow(const Decoder& decoder, int x, int y, int count, uint8_t* scratch) {
  const size_t row_bytes = UpsampledBytes(decoder);
  const uint8_t* rows[4] = {};
  for (int i = 0; i < decoder.source.img_n; ++i) {
    const auto& component = decoder.jpeg.img_comp[i];
    int skip = 0;
    const JpegPlane part =
        PartOf({component.data, component.x, component.y, component.w2, decoder.jpeg.img_h_max / component.h,
                decoder.jpeg.img_v_max / component.v},
               x, count, &skip);
    rows[i] = UpsampleRow(part, y, scratch + static_cast<size_t>(i) * row_bytes) + skip;
  }
  uint8_t* rgb = scratch + 4 * row_bytes;
  ToRgb(ColorOf(decoder), rows, count, rgb);
  return rgb;
}

/// Turns the decoded planes into upright RGB, row by row.
Status WritePixels(const Decoder& decoder, const UprightWriter& writer) {
  const std::unique_ptr<uint8_t, FreeMemory> scratch(
      static_cast<uint8_t*>(TakeJpegMemory(RowScratchBytes(decoder))));
  if (scratch == nullptr) return Status::Error(Code::kOutOfMemory, "no memory to decode a JPEG");
  for (int y = 0; y < decoder.height(); ++y)
    writer.WriteRow(y, ReadRgbRow(decoder, 0, y, decoder.width(), scratch.get()));
  return {};
}

/// The largest frame of a camera, whose memory JpegRows keeps: 64 megapixels.
constexpr int64_t kMostFramePixels = int64_t{1} << 26;

Status DecodePlanes(Decoder* decoder, int64_t most_pixels) {
  // The header twice: its size must be known to be sane before the second reading allocates the planes.
  if (!stbi__decode_jpeg_header(&decoder->jpeg, STBI__SCAN_header)) return DamagedAsStbSays();
  VITRINE_RETURN_IF_ERROR(CheckSize(decoder->width(), decoder->height()));
  const int64_t pixels = int64_t{decoder->width()} * decoder->height();
  if (pixels > most_pixels)
    return Status::Error(Code::kInvalidImage, "JPEG has %lld pixels, expected at most %lld",
                         static_cast<long long>(pixels), static_cast<long long>(most_pixels));
  stbi__rewind(&decoder->source);
  if (!stbi__decode_jpeg_header(&decoder->jpeg, STBI__SCAN_load)) return DamagedAsStbSays();
  return DecodeScans(decoder);
}

using OwnedDecoder = std::unique_ptr<Decoder, DestroyDecoder>;

/// A decoder that has decoded `bytes` up to the planes.
Result<OwnedDecoder> DecodePlanesOf(std::span<const uint8_t> bytes, int64_t most_pixels) {
  void* memory = TakeJpegMemory(sizeof(Decoder));  // 18 KB, too large for small stacks
  if (memory == nullptr) return Status::Error(Code::kOutOfMemory, "no memory to decode a JPEG");
  OwnedDecoder decoder(new (memory) Decoder(bytes));
  VITRINE_RETURN_IF_ERROR(DecodePlanes(decoder.get(), most_pixels));
  return decoder;
}

/// Lends a JpegMemory to this thread's decoder.
class UseMemory {
 public:
  explicit UseMemory(JpegMemory* memory) { jpeg_memory = memory; }
  UseMemory(const UseMemory&) = delete;
  ~UseMemory() { jpeg_memory = nullptr; }
};

}  // namespace

Result<Image> DecodeJpeg(std::span<const uint8_t> bytes, Orientation orientation) {
  Result<OwnedDecoder> decoded = DecodePlanesOf(bytes, Image::kMaxPixels);
  if (!decoded.ok()) return decoded.status();
  const Decoder& decoder = *decoded.value();
  const bool sideways = IsSideways(orientation);
  Result<Image> image = Image::Create(sideways ? decoder.height() : decoder.width(),
                                      sideways ? decoder.width() : decoder.height());
  if (!image.ok()) return image.status();
  VITRINE_RETURN_IF_ERROR(WritePixels(
      decoder, UprightWriter(image.value().pixels(), decoder.width(), decoder.height(), orientation)));
  return image;
}

struct JpegRows::State {
  JpegMemory memory;
  OwnedDecoder decoder;
  uint8_t* scratch = nullptr;

  ~State() { Forget(); }
  void Forget() {
    const UseMemory use(&memory);
    decoder.reset();
    FreeJpegMemory(scratch);
    scratch = nullptr;
  }
};

JpegRows::JpegRows() : state_(std::make_unique<State>()) {}
JpegRows::JpegRows(JpegRows&&) noexcept = default;
JpegRows& JpegRows::operator=(JpegRows&&) noexcept = default;
JpegRows::~JpegRows() = default;

Status JpegRows::Decode(std::span<const uint8_t> bytes) {
  state_->Forget();
  const Result<Container> container = InspectContainer(bytes);
  if (!container.ok()) return container.status();
  if (container.value().type != FileType::kJpeg) return Status::Error(Code::kInvalidImage, "is not a JPEG");
  if (bytes.size() > INT_MAX) return Status::Error(Code::kInvalidImage, "JPEG is larger than 2 GB");
  const UseMemory use(&state_->memory);
  Result<OwnedDecoder> decoded = DecodePlanesOf(bytes, kMostFramePixels);
  if (!decoded.ok()) return decoded.status();
  state_->decoder = std::move(decoded).value();
  state_->scratch = static_cast<uint8_t*>(TakeJpegMemory(RowScratchBytes(*state_->decoder)));
  return state_->scratch == nullptr ? Status::Error(Code::kOutOfMemory, "no memory to decode a JPEG")
                                    : Status();
}

int JpegRows::width() const { return state_->decoder->width(); }
int JpegRows::height() const { return state_->decoder->height(); }

RowReader JpegRows::reader() const {
  return {[](const void* picture, int x, int y, int count, RowLayout layout, uint8_t* out) {
            const State& state = *static_cast<const State*>(picture);
            const uint8_t* rgb = ReadRgbRow(*state.decoder, x, y, count, state.scratch);
            ReadRow({rgb, count, 1, ptrdiff_t{3} * count, PixelFormat::kRgb8}, 0, 0, count, layout, out);
          },
          state_.get()};
}

}  // namespace vitrine
