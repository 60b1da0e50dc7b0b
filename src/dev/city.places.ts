/** A place of the demo city (neighbourhoods of Brooklyn and around it), with the names that people use for it. */
export interface CityPlace {
  name: string;
  aliases: string[];
  region: string;
  lat: number;
  lon: number;
}

export const cityZone = 'America/New_York';

const place = (name: string, region: string, lat: number, lon: number, ...aliases: string[]): CityPlace => ({
  name,
  aliases,
  region,
  lat,
  lon,
});

export const cityPlaces: readonly CityPlace[] = [
  place('Williamsburg', 'brooklyn-north', 40.7081, -73.9571, 'wburg', 'williamsburgh'),
  place('Greenpoint', 'brooklyn-north', 40.7304, -73.9515),
  place('Bushwick', 'brooklyn-north', 40.6958, -73.9171),
  place('Bedford-Stuyvesant', 'brooklyn-north', 40.6872, -73.9418, 'bed-stuy', 'bed stuy', 'bedstuy'),
  place('Downtown Brooklyn', 'brooklyn-west', 40.6928, -73.9903, 'downtown'),
  place('DUMBO', 'brooklyn-west', 40.7033, -73.9881),
  place('Brooklyn Heights', 'brooklyn-west', 40.696, -73.9933, 'the heights'),
  place('Carroll Gardens', 'brooklyn-west', 40.6795, -73.9992),
  place('Red Hook', 'brooklyn-west', 40.6734, -74.0083),
  place('Park Slope', 'brooklyn-south', 40.672, -73.9778, 'the slope'),
  place('Prospect Heights', 'brooklyn-south', 40.6774, -73.9682),
  place('Crown Heights', 'brooklyn-south', 40.6681, -73.9448),
  place('Sunset Park', 'brooklyn-south', 40.6454, -74.0124),
  place('Flatbush', 'brooklyn-south', 40.6409, -73.9594),
  place('Bay Ridge', 'brooklyn-south', 40.6262, -74.03),
  place('Long Island City', 'queens', 40.7447, -73.9485, 'lic'),
  place('Astoria', 'queens', 40.7644, -73.9235),
  place('Lower East Side', 'manhattan', 40.715, -73.9843, 'les'),
  place('East Village', 'manhattan', 40.7265, -73.9815),
  place('Chelsea', 'manhattan', 40.7465, -74.0014),
];
